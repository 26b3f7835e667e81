import { type CanActivate, type ExecutionContext, HttpException, Injectable } from '@nestjs/common';
import type { Request } from 'express';

/** The key of an allowed request, as Latchkey describes it. */
export interface Caller {
  keyId: number;
  keyName: string;
  createdBy: number;
  applicationId: number | null;
}

interface Verification {
  valid: boolean;
  code: string;
  detail: string;
  applicationId: number | null;
  key: { id: number; name: string; createdBy: number } | null;
}

/** Codes that refuse the key itself, for any request. */
const CREDENTIAL_CODES = [
  'malformed',
  'unknown',
  'expired',
  'creator-deactivated',
  'creator-deleted',
  'no-application-left',
];
/** Latchkey responds within a second, with a decision or an error. */
const WAIT_MS = 1500;

const callers = new WeakMap<Request, Caller>();

/** Returns the caller of a request that the guard allowed. */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (!caller) {
    throw new Error('this request did not pass the guard');
  }
  return caller;
}

/** Asks Latchkey about the key of each request. It allows only what Latchkey allows, and caches no decision. */
@Injectable()
export class LatchkeyGuard implements CanActivate {
  private readonly url = `${setting('LATCHKEY_URL')}/v1/verifications`;
  private readonly ownKey = setting('LATCHKEY_KEY');
  private readonly service = process.env.LATCHKEY_SERVICE ?? 'invoices';

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const { valid, code, detail, applicationId, key } = await this.verify(request, presentedKey(request));
    if (!valid || !key) {
      throw refusal(CREDENTIAL_CODES.includes(code) ? 401 : 403, code, detail);
    }
    callers.set(request, { keyId: key.id, keyName: key.name, createdBy: key.createdBy, applicationId });
    return true;
  }

  private async verify(request: Request, key: string): Promise<Verification> {
    try {
      // Node keeps the connections of `fetch` open and reuses them.
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `ManagementKey-v1 ${this.ownKey}` },
        // The raw path: a router may decode or shorten it.
        body: JSON.stringify({ key, service: this.service, method: request.method, path: request.originalUrl }),
        signal: AbortSignal.timeout(WAIT_MS),
      });
      const body = (await response.json()) as Verification;
      if (response.status !== 200) {
        throw new Error(`Latchkey responded with ${response.status} ${body.code}`);
      }
      return body;
    } catch (error) {
      console.error('no decision:', error);
      throw refusal(503, 'decision-failed', 'No decision about this request could be made.');
    }
  }
}

/** Returns the one key of a request. `headers` has only the first of several headers, so this checks all of them. */
function presentedKey(request: Request): string {
  const [header, ...more] = request.headersDistinct.authorization ?? [];
  const key = /^ManagementKey-v1 (\S+)$/i.exec(header ?? '')?.[1];
  if (key === undefined || more.length > 0) {
    throw refusal(401, 'malformed', 'Present one key: "Authorization: ManagementKey-v1 <key>".');
  }
  return key;
}

function refusal(status: number, code: string, detail: string): HttpException {
  return new HttpException({ status, code, detail }, status);
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set`);
  }
  return value;
}
