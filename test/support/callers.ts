import { Agent, request as httpRequest } from 'node:http';

/** A path of a service with a key, which callers request continuously. */
export interface Target {
  service: string;
  path: string;
  key: string;
}

/** The ways to ask whether a key may use an endpoint. A route of Latchkey can also simply be called. */
const KINDS = ['forward auth', 'verification', 'route'] as const;
type Kind = (typeof KINDS)[number];

/**
 * A period in which a target is open. `ended` is set when the response to its end arrives, `revived` before the next
 * period begins.
 */
interface Life {
  target: Target;
  ended: boolean;
  revived: boolean;
  acceptedCount: number;
  checkCount: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

/** Closes the connections of all callers. */
export function closeCallers(): void {
  agent.destroy();
}

/**
 * Callers that continuously request one target after another, on all processes and in all ways. A request that *starts*
 * after the response to the end of a target must be refused. Everything else that they see is recorded as a violation.
 */
export class Callers {
  /** Requests that were accepted while the target was open. */
  acceptedCount = 0;
  /** Requests that started after an end and therefore had to be refused. */
  checkCount = 0;
  readonly violations: string[] = [];
  private life: Life | undefined;
  private stopped = false;
  private readonly running: Promise<void>[];

  /**
   * Creates callers.
   *
   * @param urls addresses of the processes
   * @param verifier an `Authorization` that may request verifications
   */
  constructor(
    private readonly urls: readonly string[],
    private readonly verifier: () => string,
    count: number,
  ) {
    this.running = Array.from({ length: count }, (_, caller) => this.run(caller));
  }

  /** Opens a target, for the first time or again. Requests in progress may be accepted or refused. */
  begin(target: Target): void {
    if (this.life) {
      this.life.revived = this.life.target.key === target.key && this.life.target.path === target.path;
    }
    this.life = { target, ended: false, revived: false, acceptedCount: 0, checkCount: 0 };
  }

  /** Records that the response to the end of the target has arrived. */
  end(): void {
    this.life!.ended = true;
  }

  /** Waits until `count` requests were accepted. */
  async accepted(count: number): Promise<void> {
    await this.until((life) => life.acceptedCount >= count);
  }

  /** Waits until `count` requests that started after the end have a response. */
  async checked(count: number): Promise<void> {
    await this.until((life) => life.checkCount >= count);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async until(condition: (life: Life) => boolean): Promise<void> {
    while (!condition(this.life!) && this.violations.length === 0) {
      await new Promise(setImmediate);
    }
  }

  private async run(caller: number): Promise<void> {
    for (let turn = caller; !this.stopped; turn += 1) {
      const { life } = this;
      if (!life) {
        await new Promise(setImmediate);
        continue;
      }
      const startedAfterEnd = life.ended;
      const kinds = life.target.service === 'management' ? KINDS : KINDS.slice(0, 2);
      const process = turn % this.urls.length;
      const kind = kinds[Math.floor(turn / this.urls.length) % kinds.length]!;
      const outcome = await this.ask(kind, this.urls[process]!, life.target);
      if (outcome === 'accepted') {
        this.acceptedCount += 1;
        life.acceptedCount += 1;
      } else if (outcome !== 'refused') {
        this.violations.push(`${kind} on process ${process} answered ${outcome}`);
      }
      if (startedAfterEnd && !life.revived) {
        this.checkCount += 1;
        life.checkCount += 1;
        if (outcome === 'accepted') {
          this.violations.push(`${kind} on process ${process} was accepted after its end`);
        }
      }
    }
  }

  private async ask(kind: Kind, url: string, { service, path, key }: Target): Promise<'accepted' | 'refused' | string> {
    const authorization = `ManagementKey-v1 ${key}`;
    switch (kind) {
      case 'route': {
        const { status } = await send(`${url}${path}`, 'GET', { authorization });
        // 404: the caller was authorized just before its Application was deleted.
        return status === 200 || status === 404 ? 'accepted' : status === 401 ? 'refused' : String(status);
      }
      case 'forward auth': {
        const headers = { authorization, 'x-original-method': 'GET', 'x-original-uri': path };
        const { status } = await send(`${url}/v1/forward_auth/original/${service}`, 'GET', headers);
        return status === 200 ? 'accepted' : status === 401 || status === 403 ? 'refused' : String(status);
      }
      case 'verification': {
        const { status, text } = await send(
          `${url}/v1/verifications`,
          'POST',
          { authorization: this.verifier(), 'content-type': 'application/json' },
          JSON.stringify({ key, service, method: 'GET', path }),
        );
        return status === 200
          ? (JSON.parse(text) as { valid: boolean }).valid
            ? 'accepted'
            : 'refused'
          : String(status);
      }
      default:
        return kind satisfies never;
    }
  }
}

function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, agent, headers });
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}
