import type { IncomingMessage } from 'node:http';
import { contextOf } from '../request/request-context.js';
import { Problem } from '../problems/problem.js';

/**
 * Yields the bytes of a request's body as they arrive. It has no time limit while data arrives. Throws
 * `media-type-unsupported` for a compressed body, `request-timeout` if nothing arrives for `idleMs`, `body-incomplete`
 * if the client disconnects, and the reason of an aborted signal. It leaves the connection open for the response.
 */
export async function* readUpload(
  request: IncomingMessage,
  { idleMs, signal }: { idleMs: number; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('media-type-unsupported', 'Send the body as it is, not compressed.');
  }
  contextOf(request).askForBody();
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
    // Not awaited, because a read that timed out is still running.
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
