import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SignInThrottle } from '../users/sign-in-throttle.js';
import { SessionsService } from './sessions.service.js';

const INTERVAL_MS = 10 * 60 * 1000;

/** Deletes sessions and counted sign-ins that have expired, every few minutes. They have no effect any more; they only take room. */
@Injectable()
export class ExpiredRows implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('ExpiredRows');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly sessions: SessionsService,
    private readonly throttle: SignInThrottle,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.purge(), INTERVAL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Deletes them now. What fails is logged, and tried again next time. */
  async purge(): Promise<void> {
    this.running = this.running.then(async () => {
      try {
        await this.sessions.purge();
        await this.throttle.purge();
      } catch (error) {
        this.logger.warn(`expired rows were not deleted: ${String(error)}`);
      }
    });
    return this.running;
  }
}
