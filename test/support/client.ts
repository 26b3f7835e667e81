/** A response with its body, which is parsed if it is JSON. */
export interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

/** The body of a refusal. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  errors?: { pointer?: string; parameter?: string; line?: number; detail: string }[];
  endpoint?: string;
  applicationId?: number | string;
  expiryDate?: string;
  retryAfterSeconds?: number;
}

const MINTED = /lk[ms]_[0-9A-Za-z]{49}/g;

/** Calls the service over HTTP as one caller, and records every secret that it sees. */
export class Client {
  constructor(
    readonly url: string,
    readonly authorization: string | undefined,
    private readonly secrets: Set<string>,
  ) {}

  get<Body = unknown>(path: string, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send<Body>('GET', path, undefined, headers);
  }

  post<Body = unknown>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send<Body>('POST', path, body, headers);
  }

  put<Body = unknown>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send<Body>('PUT', path, body, headers);
  }

  delete<Body = unknown>(path: string, headers?: Record<string, string>): Promise<Answer<Body>> {
    return this.send<Body>('DELETE', path, undefined, headers);
  }

  /** Sends a request. Objects become JSON. Texts, buffers and forms are sent unchanged. */
  async send<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const raw =
      body === undefined || typeof body === 'string' || body instanceof FormData || body instanceof Uint8Array;
    this.notePasswords(body);
    const response = await fetch(this.url + path, {
      method,
      body: (raw ? body : JSON.stringify(body)) as RequestInit['body'],
      headers: {
        ...(this.authorization !== undefined && { authorization: this.authorization }),
        ...(!raw && { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
    });
    const text = await response.text();
    text.match(MINTED)?.forEach((secret) => this.secrets.add(secret));
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  }

  private notePasswords(body: unknown): void {
    if (typeof body !== 'object' || body === null) {
      return;
    }
    for (const name of ['password', 'newPassword', 'currentPassword'] as const) {
      const value = (body as Record<string, unknown>)[name];
      if (typeof value === 'string' && value.length >= 12) {
        this.secrets.add(value);
      }
    }
  }
}
