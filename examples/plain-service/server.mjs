// A service in plain Node, without dependencies, that asks Latchkey about the key of each request.
//
//   LATCHKEY_URL=http://127.0.0.1:3000 LATCHKEY_KEY=lkm_... PORT=9000 node server.mjs
//
// LATCHKEY_KEY is the key of the service itself, with one endpoint: `POST /v1/verifications`. An admin registers
// openapi.yaml with `PUT /v1/services/invoices` (../nest-service/README.md shows how).
import { Agent, createServer, request as httpRequest } from 'node:http';

const { LATCHKEY_URL, LATCHKEY_KEY, LATCHKEY_SERVICE = 'invoices', PORT = '9000' } = process.env;
if (!LATCHKEY_URL || !LATCHKEY_KEY) {
  throw new Error('LATCHKEY_URL and LATCHKEY_KEY must be set');
}

/** Latchkey responds within a second, with a decision or an error. */
const WAIT_MS = 1500;
/** Codes that refuse the key itself, for any request. */
const CREDENTIAL_CODES = [
  'malformed',
  'unknown',
  'expired',
  'creator-deactivated',
  'creator-deleted',
  'no-application-left',
];
/** Keeps connections open and reuses them. For an https address, use the Agent and request of node:https. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Asks Latchkey whether a key may make a request. Rejects if Latchkey does not respond in time. */
function verify(key, { method, url }) {
  const question = JSON.stringify({ key, service: LATCHKEY_SERVICE, method, path: url });
  return new Promise((resolve, reject) => {
    const asking = httpRequest(`${LATCHKEY_URL}/v1/verifications`, {
      method: 'POST',
      agent,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(question),
        Authorization: `ManagementKey-v1 ${LATCHKEY_KEY}`,
      },
      // A deadline for the whole response; the `timeout` option would only limit idle time.
      signal: AbortSignal.timeout(WAIT_MS),
    });
    asking.on('error', reject);
    asking.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(`Latchkey responded with ${response.statusCode} ${text}`));
          return;
        }
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
    });
    asking.end(question);
  });
}

/** Returns the caller of a request, or the refusal. It allows only what Latchkey allows, and caches no decision. */
async function judge(request) {
  const [header, ...more] = request.headersDistinct.authorization ?? [];
  const key = /^ManagementKey-v1 (\S+)$/i.exec(header ?? '')?.[1];
  if (key === undefined || more.length > 0) {
    return { status: 401, code: 'malformed', detail: 'Present one key: "Authorization: ManagementKey-v1 <key>".' };
  }
  try {
    const { valid, code, detail, endpoint, applicationId, key: known } = await verify(key, request);
    return valid === true
      ? {
          status: 200,
          caller: { keyId: known.id, keyName: known.name, createdBy: known.createdBy, applicationId },
          endpoint,
        }
      : { status: CREDENTIAL_CODES.includes(code) ? 401 : 403, code, detail };
  } catch (error) {
    console.error('no decision:', error.message);
    return { status: 503, code: 'decision-failed', detail: 'No decision about this request could be made.' };
  }
}

/** Handlers by the endpoint that Latchkey named. A second router could select a different one. */
const handlers = {
  'GET /invoices/{invoiceId}': (request) => ({ invoiceId: request.url.split(/[/?]/)[2] }),
  'GET /applications/{applicationId}/invoices': () => ({ invoices: [] }),
  'POST /applications/{applicationId}/invoices': () => ({ written: true }),
};

const server = createServer(async (request, response) => {
  const { status, caller, endpoint, ...refusal } = await judge(request);
  const handler = endpoint && handlers[`${endpoint.method} ${endpoint.path}`];
  const answer = caller ? { ...handler?.(request), caller } : { status, ...refusal };
  const body = Buffer.from(JSON.stringify(answer));
  response.writeHead(caller && !handler ? 404 : status, {
    'Content-Type': caller ? 'application/json' : 'application/problem+json',
    'Content-Length': body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`listens on http://127.0.0.1:${server.address().port}`));
