import { Worker } from 'node:worker_threads';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Semaphore } from 'async-mutex';
import { Admission } from '../../admission/admission.js';
import { Problem } from '../../problems/problem.js';
import type { ReadBody } from './openapi-body.js';

/** The URL of the worker's file. */
export const OPENAPI_WORKER = Symbol('latchkey:openapi-worker');

const WAIT_MS = 20_000;
const MEMORY_MB = 1024;
const WAITING_MAX = 4;

/**
 * Parses the bodies of registrations, one at a time, in a separate thread. A large or malicious document therefore
 * blocks nothing else, and its memory and time are limited.
 */
@Injectable()
export class OpenApiReader implements OnApplicationShutdown {
  private readonly turns = new Semaphore(1);
  private readonly workers = new Set<Worker>();
  private readonly admission = new Admission({
    what: 'readings of documents',
    max: 1 + WAITING_MAX,
    retryAfterSeconds: 10,
  });

  constructor(@Inject(OPENAPI_WORKER) private readonly file: URL) {}

  /** Parses a body. Throws `openapi-invalid` if it needs too much time or memory, and `too-busy`. */
  read(body: Uint8Array): Promise<ReadBody> {
    return this.admission.admit(() => this.turns.runExclusive(() => this.readNow(body)));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.terminate()));
  }

  private async readNow(body: Uint8Array): Promise<ReadBody> {
    const worker = new Worker(this.file, {
      workerData: body,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 64 },
    });
    this.workers.add(worker);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<ReadBody>((resolve, reject) => {
        timer = setTimeout(() => reject(beyond(`takes longer than ${WAIT_MS / 1000} seconds to read`)), WAIT_MS);
        worker.once('message', resolve);
        worker.once('error', (error: NodeJS.ErrnoException) =>
          reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? beyond(`takes more than ${MEMORY_MB} MB to read`) : error),
        );
        worker.once('exit', () => reject(new Problem('shutting-down')));
      });
    } finally {
      clearTimeout(timer);
      this.workers.delete(worker);
      void worker.terminate();
    }
  }
}

function beyond(detail: string): Problem {
  return new Problem('openapi-invalid', `The document ${detail}.`, { errors: [{ pointer: '/openapi', detail }] });
}
