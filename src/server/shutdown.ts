import type { INestApplication } from '@nestjs/common';
import type { Logger } from 'pino';
import { UsageRecorder } from '../api-keys/usage/usage-recorder.js';
import { Drain } from '../health/drain.js';
import { endLog } from '../logging/logging.js';

/**
 * How long a shutdown may take, in milliseconds. It is shorter than the ten seconds that orchestrators usually wait
 * before they kill.
 */
const SHUTDOWN_MS = 9800;

/**
 * Shuts the process down on request. It reports at once that it is not ready, and accepts no more connections. It
 * responds to the requests that it has accepted, writes the usage it has counted, closes the database, and exits with
 * 0. A second request makes it exit at once.
 */
export class Shutdown {
  private started: { app: INestApplication; logger: Logger } | undefined;
  private begun = false;

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => this.ask(signal));
    }
  }

  /** Makes a signal shut the application down in order from now on. */
  startedAs(app: INestApplication, logger: Logger): void {
    this.started = { app, logger };
  }

  private ask(signal: string): void {
    if (this.begun || !this.started) {
      // Nothing was accepted yet, or the signal came a second time. Migrations survive an interruption.
      process.exit(this.begun ? 1 : 0);
    }
    this.begun = true;
    const { app, logger } = this.started;
    const began = performance.now();
    const exit = (code: number): void => void endLog(logger).then(() => process.exit(code));
    const elapsed = (): number => Math.round(performance.now() - began);
    logger.info({ signal }, 'Latchkey is shutting down');
    setTimeout(() => {
      // Only the database is still busy, with work whose response was never sent. It rolls that work back.
      const isComplete = app.get(UsageRecorder).isWritten;
      logger[isComplete ? 'warn' : 'error']({ durationMs: elapsed() }, 'Latchkey was cut off while it shut down');
      exit(isComplete ? 0 : 1);
    }, SHUTDOWN_MS).unref();
    void app.get(Drain).begin();
    app.close().then(
      () => {
        logger.info({ durationMs: elapsed() }, 'Latchkey has shut down');
        exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'Latchkey could not end in order');
        exit(1);
      },
    );
  }
}
