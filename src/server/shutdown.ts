import type { INestApplication } from '@nestjs/common';
import type { Logger } from 'pino';
import { UsageRecorder } from '../api-keys/usage/usage-recorder.js';
import { Drain } from '../health/drain.js';
import { endLog } from '../logging/logging.js';

/** After so long the process ends whatever it is waiting for; an orchestrator that gives it ten seconds need not kill it. */
const SHUTDOWN_MS = 9800;

/**
 * Ends the process when it is asked to: it says at once that it is not ready and accepts no connection any more, answers
 * what it has accepted, writes down what it has counted, closes the database, and exits with 0. Asked a second time, it
 * exits at once.
 */
export class Shutdown {
  private started: { app: INestApplication; logger: Logger } | undefined;
  private begun = false;

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => this.ask(signal));
    }
  }

  /** From now on there is something to be ended in order. */
  startedAs(app: INestApplication, logger: Logger): void {
    this.started = { app, logger };
  }

  private ask(signal: string): void {
    if (this.begun || !this.started) {
      // Nothing was accepted yet, or somebody at a terminal has no patience. Migrations bear being cut off.
      process.exit(this.begun ? 1 : 0);
    }
    this.begun = true;
    const { app, logger } = this.started;
    const began = performance.now();
    const exit = (code: number): void => void endLog(logger).then(() => process.exit(code));
    const elapsed = (): number => Math.round(performance.now() - began);
    logger.info({ signal }, 'Latchkey is shutting down');
    setTimeout(() => {
      // Only the database is still busy: with what was not answered yet, and it undoes that by itself.
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
