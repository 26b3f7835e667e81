import { randomUUID } from 'node:crypto';
import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { PROBLEMS } from '../problems/problem-codes.js';
import { Problem } from '../problems/problem.js';
import { problemText } from '../problems/problem-response.js';

/** An error of Node's HTTP parser; `rawPacket` is what had arrived. */
interface ParserError extends Error {
  code?: string;
  rawPacket?: Buffer;
}

/**
 * Answers what Node itself cannot read as HTTP, with a problem like everything else.
 *
 * @param refusalOf what a proxy is answered instead, by the request line as far as it could be found
 */
export function answerUnparsable(
  http: Server,
  logger: Logger,
  refusalOf: (requestLine: string) => Problem | undefined,
): void {
  http.on('clientError', (error: ParserError, socket: Socket & { _httpMessage?: { headersSent: boolean } | null }) => {
    if (!socket.writable || socket._httpMessage?.headersSent === true) {
      socket.destroy();
      return;
    }
    const [requestLine = ''] = (error.rawPacket?.toString('latin1') ?? '').split('\r\n', 1);
    const refusal = refusalOf(requestLine);
    const problem = refusal ?? problemOf(error.code);
    const requestId = randomUUID();
    const body = problemText(problem, requestId);
    const { code, status } = problem;
    logger[PROBLEMS[code].level]({ requestId, status, code }, 'not HTTP');
    const lines = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      'Connection: close',
      ...(refusal ? [`X-Latchkey-Error: ${code}`] : []),
    ];
    socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  });
}

function problemOf(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('headers-too-large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('request-timeout');
    default:
      return new Problem('request-malformed');
  }
}
