import { Logger } from '@nestjs/common';

/**
 * Work that a process does again and again from its start to its end, one run after the other. What fails is logged, and
 * tried again next time.
 */
export class PeriodicWork {
  private readonly logger = new Logger(PeriodicWork.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  /**
   * @param name what is done, for the log: `The deletion of expired rows`
   * @param intervalMs from the end of one run to the beginning of the next
   */
  constructor(
    private readonly name: string,
    private readonly intervalMs: number,
    private readonly work: () => Promise<void>,
  ) {}

  /** Does the work from now on, for the first time after one interval. */
  start(): void {
    if (!this.stopped) {
      this.timer = setTimeout(() => void this.run().then(() => this.start()), this.intervalMs).unref();
    }
  }

  /** Begins no run any more; resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Does the work once, now or after the run under way. Resolves also if it fails. */
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
