import { connect, type Socket } from 'node:net';
import { type RawAnswer, readAnswer, sendRaw } from './raw-http.js';

/** A request with a body, as it is sent. */
export interface WholeRequest {
  method: string;
  path: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer;
}

/** Sends a whole request at once. */
export function sendWhole(url: string, { method, path, headers, body }: WholeRequest): Promise<RawAnswer> {
  const whole = [...headers, ['Content-Length', String(body.length)] as const];
  return sendRaw(url, method, path, whole, body.toString('latin1'));
}

/** The server refused a request without requesting its body. */
export class RefusedAtHead extends Error {
  constructor(
    { method, path }: WholeRequest,
    readonly answer: RawAnswer | undefined,
  ) {
    super(`${method} ${path} was refused at its head: ${answer?.status} ${answer?.body}`);
  }
}

const ANSWER_WAIT_MS = 20_000;

/**
 * A request that has arrived except for the last byte of its body. The server has requested the body (`100 Continue`),
 * so the guard has authorized the caller. If the request is refused later, the guard did not refuse it.
 */
export class HeldRequest {
  private received = '';
  private closed = false;
  private changed: () => void = () => undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly request: WholeRequest,
  ) {
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.received += chunk;
      this.changed();
    });
    // A server that has refused a request may close the connection while the rest is being sent.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.closed = true;
      this.changed();
    });
  }

  /** Sends a request except for its last byte. Rejects with `RefusedAtHead`. */
  static async begin(url: string, request: WholeRequest): Promise<HeldRequest> {
    const { hostname, port } = new URL(url);
    const held = new HeldRequest(connect(Number(port), hostname), request);
    held.socket.write(headOf(request, [['Expect', '100-continue']]));
    const isAsked = (): boolean => held.received.startsWith('HTTP/1.1 100 ');
    await held.until(() => isAsked() || held.isAnswered, 'the server asks for the body');
    if (!isAsked()) {
      held.drop();
      throw new RefusedAtHead(request, held.answers()[0]);
    }
    held.socket.write(request.body.subarray(0, -1));
    return held;
  }

  /** Whether a response has arrived although the request is incomplete. */
  get isAnswered(): boolean {
    return this.answers().length > 0;
  }

  /** Waits for a response or the end of the connection, without sending anything more. */
  async answered(): Promise<RawAnswer | undefined> {
    await this.until(() => this.closed || this.isAnswered, 'the held request is answered');
    return this.answers()[0];
  }

  /**
   * Sends the last byte, and pipelines another request if one is given. Resolves with the responses. There are fewer
   * responses than requests if the server closes the connection first.
   */
  async finish(behind?: WholeRequest): Promise<RawAnswer[]> {
    const rest = [this.request.body.subarray(-1)];
    if (behind) {
      rest.push(Buffer.from(headOf(behind), 'latin1'), behind.body);
    }
    if (!this.socket.destroyed) {
      this.socket.write(Buffer.concat(rest));
    }
    const count = behind ? 2 : 1;
    await this.until(() => this.closed || this.answers().length >= count, 'the request is answered');
    this.drop();
    return this.answers();
  }

  /** Closes the connection. */
  drop(): void {
    this.socket.destroy();
  }

  private answers(): RawAnswer[] {
    const answers: RawAnswer[] = [];
    let rest = this.received;
    for (;;) {
      const next = readAnswer(rest, this.request.method);
      if (!next) {
        return answers;
      }
      answers.push(next.answer);
      rest = next.rest;
    }
  }

  private until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.request.method} ${this.request.path}: waited in vain until ${what}`)),
        ANSWER_WAIT_MS,
      );
      this.changed = () => {
        if (condition() || this.closed) {
          clearTimeout(timer);
          resolve();
        }
      };
      this.changed();
    });
  }
}

function headOf(
  { method, path, headers, body }: WholeRequest,
  further: readonly (readonly [name: string, value: string])[] = [],
): string {
  const lines = [...headers, ['Content-Length', String(body.length)], ...further].map(
    ([name, value]) => `${name}: ${value}`,
  );
  return [`${method} ${path} HTTP/1.1`, 'Host: latchkey.example', ...lines, '', ''].join('\r\n');
}
