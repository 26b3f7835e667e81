import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, MoreThan } from 'typeorm';
import { system } from '../../access/actor.js';
import { Transactions } from '../../authority/transactions.js';
import { PeriodicWork } from '../../database/periodic-work.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { ApiKeyUsage } from './api-key-usage.entity.js';
import { ApiKey } from '../api-key.entity.js';

const INTERVAL_MS = 10 * 60 * 1000;
/** How many rows one transaction deletes. The number is small, so that other writes wait only briefly. */
const BATCH = 1000;
/** The pause between two batches, in which other writes can run. */
const PAUSE_MS = 20;

/**
 * Deletes the usage counters of deleted keys, every few minutes. The deletion of a key does not wait for this. A key
 * that was used a lot has hundreds of thousands of counters, and replicas write more of them for some seconds after its
 * deletion.
 */
@Injectable()
export class UsagePurge implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly purging = new PeriodicWork('The deletion of counts of usage', INTERVAL_MS, () =>
    this.deleteOrphans(),
  );
  private stopping = false;

  constructor(
    @InjectRepository(ApiKey) private readonly apiKeys: ReadRepository<ApiKey>,
    @InjectRepository(ApiKeyUsage) private readonly usage: ReadRepository<ApiKeyUsage>,
    private readonly transactions: Transactions,
  ) {}

  onApplicationBootstrap(): void {
    this.purging.start();
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.purging.stop();
  }

  /** Deletes the counters now. */
  purge(): Promise<void> {
    return this.purging.run();
  }

  private async deleteOrphans(): Promise<void> {
    for (let id = await this.nextCounted(0); id !== undefined; id = await this.nextCounted(id)) {
      if (!(await this.apiKeys.existsBy({ id }))) {
        await this.deleteOf(id);
      }
    }
  }

  /**
   * Finds the next key that has counters. It takes one step along the index per key, however many counters the key has.
   */
  private async nextCounted(after: number): Promise<number | undefined> {
    const [row] = await this.usage.find({
      select: { apiKeyId: true },
      where: { apiKeyId: MoreThan(after) },
      order: { apiKeyId: 'ASC' },
      take: 1,
    });
    return this.stopping ? undefined : row?.apiKeyId;
  }

  private async deleteOf(apiKeyId: number): Promise<void> {
    while (!this.stopping) {
      const rows = await this.usage.find({ select: { counter: true }, where: { apiKeyId }, take: BATCH });
      if (rows.length === 0) {
        return;
      }
      const counter = In(rows.map((row) => row.counter));
      await this.transactions.write(system('usage'), ({ tx }) => tx.delete(ApiKeyUsage, { apiKeyId, counter }));
      await sleep(PAUSE_MS);
    }
  }
}
