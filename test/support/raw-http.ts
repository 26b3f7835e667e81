import { connect } from 'node:net';

/** A response as it arrived. */
export interface RawAnswer {
  status: number;
  /** By lower-case name. The values of a repeated header are joined with a comma. */
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends a request exactly as written and reads the one response, however the connection ends. Nothing normalises a
 * path, adds a header or sends a body. Headers are pairs, so that they can be repeated.
 */
export function sendRaw(
  url: string,
  method: string,
  target: string,
  headers: readonly (readonly [name: string, value: string])[] = [],
  body = '',
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const lines = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (!headers.some(([name]) => name.toLowerCase() === 'host')) {
    lines.splice(1, 0, 'Host: latchkey.example');
  }
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('latin1');
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${method} ${target}: ${received}`)));
    socket.on('data', (chunk: string) => {
      received += chunk;
      const first = readAnswer(received, method);
      if (first) {
        socket.destroy();
        resolve(first.answer);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the connection ended without an answer: ${received}`)));
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  });
}

/**
 * Reads the first final response to a request. Returns it with the text after it, or undefined while it is incomplete.
 */
export function readAnswer(received: string, method: string): { answer: RawAnswer; rest: string } | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) {
    return undefined;
  }
  const [statusLine = '', ...lines] = received.slice(0, headEnd).split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const rest = received.slice(headEnd + 4);
  if (status === 100) {
    return readAnswer(rest, method);
  }
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*):\s*(.*)$/.exec(line) ?? [];
    const known = headers[name.toLowerCase()];
    headers[name.toLowerCase()] = known === undefined ? value : `${known}, ${value}`;
  }
  const length = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0);
  return rest.length < length
    ? undefined
    : { answer: { status, headers, body: rest.slice(0, length) }, rest: rest.slice(length) };
}
