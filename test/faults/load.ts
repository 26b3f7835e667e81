import { Agent, request as httpRequest } from 'node:http';
import { until } from './until.js';

/** A kind of request that is sent again and again. */
export interface Call {
  method: string;
  path: string;
  headers?: Record<string, string>;
  /** Returns a new body for each request. */
  body?: () => string;
  /** The status of a successful request. */
  good: number;
  /** The maximum time to the response, in milliseconds. */
  withinMs: number;
}

/** The outcome of one request. The status 0 means that the connection ended without a response. */
export interface Outcome {
  kind: string;
  began: number;
  ended: number;
  status: number;
  body: string;
}

const MULTIPART = 'a-boundary';

/** Returns the body of a form with one file, and its content type. */
export function fileForm(text: string): string {
  return `--${MULTIPART}\r\nContent-Disposition: form-data; name="upFile"; filename="coupons.csv"\r\n\r\n${text}\r\n--${MULTIPART}--\r\n`;
}
export const FILE_FORM_TYPE = `multipart/form-data; boundary=${MULTIPART}`;

/** Sends requests of several kinds in parallel with short pauses, and records each outcome. */
export class Load {
  readonly records: Outcome[] = [];
  private readonly agent = new Agent({ keepAlive: true });
  private readonly running: Promise<void>[];
  private stopped = false;

  constructor(
    private readonly url: string,
    readonly kinds: { [kind: string]: Call },
    lanes = 2,
  ) {
    this.running = Object.keys(kinds).flatMap((kind) => Array.from({ length: lanes }, () => this.repeat(kind)));
  }

  /** Waits until `times` requests of every kind have succeeded, counting only requests that begin from now on. */
  async goesWell(times: number, withinMs: number): Promise<void> {
    const from = this.records.length;
    const began = performance.now();
    const wanting = (): string[] => {
      const good = this.records.slice(from).filter((record) => record.began >= began && this.isGood(record));
      return Object.keys(this.kinds).filter((kind) => good.filter((record) => record.kind === kind).length < times);
    };
    try {
      await until('all goes well', () => wanting().length === 0, withinMs);
    } catch (error) {
      throw new Error(`not well within ${withinMs} ms: ${wanting().join(', ')}`, { cause: error });
    }
  }

  /** Returns whether a request succeeded. */
  isGood({ kind, status }: Outcome): boolean {
    return status === this.kinds[kind]!.good;
  }

  /** The requests that neither succeeded nor got a 503, and the requests that took too long. */
  get faults(): string[] {
    return this.records.flatMap((record) => {
      const { kind, began, ended, status, body } = record;
      const took = Math.round(ended - began);
      return [
        ...(this.isGood(record) || status === 503 ? [] : [`${kind}: ${status} ${body}`]),
        ...(took > this.kinds[kind]!.withinMs
          ? [`${kind}: ${status} after ${took} ms, begun at ${Math.round(began)}: ${body}`]
          : []),
      ];
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
    this.agent.destroy();
  }

  private async repeat(kind: string): Promise<void> {
    while (!this.stopped) {
      const began = performance.now();
      const answer = await this.send(this.kinds[kind]!);
      this.records.push({ kind, began, ended: performance.now(), ...answer });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private send({ method, path, headers, body }: Call): Promise<{ status: number; body: string }> {
    return new Promise((resolve) => {
      const request = httpRequest(this.url + path, { method, headers, agent: this.agent });
      request.on('error', (error) => resolve({ status: 0, body: String(error) }));
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', (error) => resolve({ status: 0, body: String(error) }));
        response.on('end', () => resolve({ status: response.statusCode!, body: text.slice(0, 300) }));
      });
      request.end(body?.());
    });
  }
}
