import type { IncomingMessage } from 'node:http';
import { askForBody } from '../request/expect-continue.js';
import { Problem } from '../problems/problem.js';

/**
 * The bytes of a request's body as they come. It may take as long as it likes, as long as something arrives.
 * Throws `media-type-unsupported` for a compressed body, `request-timeout` when nothing arrives for `idleMs`,
 * `body-incomplete` when the client is gone, and the reason of the signal when that is aborted. It leaves the connection open, so that the request can still be answered.
 */
export async function* readUpload(
  request: IncomingMessage,
  { idleMs, signal }: { idleMs: number; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('media-type-unsupported', 'Send the body as it is, not compressed.');
  }
  askForBody(request);
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = await within(chunks.next(), idleMs, signal);
      if (next.done) {
        return;
      }
      yield next.value;
    }
  } finally {
    // Not awaited: a read that timed out is still going on.
    void chunks.return?.();
  }
}

function within<Value>(promise: Promise<Value>, idleMs: number, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => finish(() => reject(signal.reason as Error));
    const timer = setTimeout(
      () => finish(() => reject(new Problem('request-timeout', `Nothing arrived for ${idleMs / 1000} seconds.`))),
      idleMs,
    );
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      settle();
    };
    promise.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(new Problem('body-incomplete', undefined, {}, { cause: error }))),
    );
    signal.addEventListener('abort', abort);
    if (signal.aborted) {
      abort();
    }
  });
}
