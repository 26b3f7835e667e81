import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { PROBLEMS } from '../problems/problem-codes.js';
import { Problem } from '../problems/problem.js';
import { problemText } from '../problems/problem-response.js';
import { connectionOf } from '../request/connections.js';
import { refusalOfUnparsable } from '../verification/forward-auth.js';

/** An error of Node's HTTP parser. `rawPacket` holds the data that had arrived. */
interface ParserError extends Error {
  code?: string;
  rawPacket?: Buffer;
}

/** Responds with a problem to data that Node cannot parse as HTTP, and closes the connection. */
export function respondToUnparsable(error: ParserError, socket: Socket, logger: Logger): void {
  if (!socket.writable || connectionOf(socket).currentResponse?.headersSent === true) {
    socket.destroy();
    return;
  }
  const [requestLine = ''] = (error.rawPacket?.toString('latin1') ?? '').split('\r\n', 1);
  const refusal = refusalOfUnparsable(requestLine);
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
