import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PeriodicWork } from '../database/periodic-work.js';
import { SignInThrottle } from '../users/sign-in/sign-in-throttle.js';
import { SessionsService } from './sessions.service.js';

const INTERVAL_MS = 10 * 60 * 1000;

/**
 * Deletes expired sessions and sign-in counters every few minutes. They have no effect any more, and only take space.
 */
@Injectable()
export class ExpiredRows implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly purging = new PeriodicWork('The deletion of expired rows', INTERVAL_MS, async () => {
    await this.sessions.purge();
    await this.throttle.purge();
  });

  constructor(
    private readonly sessions: SessionsService,
    private readonly throttle: SignInThrottle,
  ) {}

  onApplicationBootstrap(): void {
    this.purging.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.purging.stop();
  }

  /** Deletes the expired rows now. */
  purge(): Promise<void> {
    return this.purging.run();
  }
}
