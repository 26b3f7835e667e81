import { Logger } from '@nestjs/common';

/**
 * Runs work repeatedly from the start of a process to its end, one run at a time. A failure is logged, and the next run
 * tries again.
 */
export class PeriodicWork {
  private readonly logger = new Logger(PeriodicWork.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  /**
   * @param name the work, for the log: `The deletion of expired rows`
   * @param intervalMs from the end of one run to the start of the next
   */
  constructor(
    private readonly name: string,
    private readonly intervalMs: number,
    private readonly work: () => Promise<void>,
  ) {}

  /** Starts the work. The first run is after one interval. */
  start(): void {
    if (!this.stopped) {
      this.timer = setTimeout(() => void this.run().then(() => this.start()), this.intervalMs).unref();
    }
  }

  /** Starts no more runs. Resolves when the current run has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Runs the work once, now or after the current run. Resolves even if it fails. */
  run(): Promise<void> {
    this.running = this.running.then(async () => {
      if (this.stopped) {
        return;
      }
      try {
        await this.work();
      } catch (error) {
        this.logger.warn(`${this.name} failed, and is tried again later: ${String(error)}`);
      }
    });
    return this.running;
  }
}
