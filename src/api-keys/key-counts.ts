import { Injectable } from '@nestjs/common';
import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import type { ApplicationKeys } from '../applications/application-keys.js';
import { Clock } from '../config/clock.js';
import type { KeyName, UserKeyCounts } from '../users/user-key-counts.js';
import { ApiKey } from './api-key.entity.js';
import { SOME_APPLICATION_SQL } from './key-condition.js';

/** The maximum number of keys that an entry of the audit log names. */
const NAMED_MAX = 1000;

/** Counts and names the keys that depend on a user or an Application. */
@Injectable()
export class KeyCounts implements UserKeyCounts, ApplicationKeys {
  constructor(private readonly clock: Clock) {}

  count(tx: EntityManager, userId: number): Promise<number> {
    return tx.countBy(ApiKey, { createdBy: userId });
  }

  countLiving(tx: EntityManager, userId: number): Promise<number> {
    return this.livingOf(tx, userId).getCount();
  }

  namesOfLiving(tx: EntityManager, userId: number): Promise<KeyName[]> {
    return names(this.livingOf(tx, userId));
  }

  onlyFor(tx: EntityManager, applicationId: number): Promise<KeyName[]> {
    return names(
      tx
        .createQueryBuilder(ApiKey, 'k')
        .innerJoin('api_key_applications', 'mine', 'mine.api_key_id = k.id AND mine.application_id = :applicationId')
        .where(
          `k.allApplications = :no AND NOT EXISTS (${SOME_APPLICATION_SQL} AND a.application_id <> :applicationId)`,
          { applicationId, no: false },
        ),
    );
  }

  /** Selects the keys that open something if their creator is active. */
  private livingOf(tx: EntityManager, userId: number): SelectQueryBuilder<ApiKey> {
    return tx
      .createQueryBuilder(ApiKey, 'k')
      .where('k.createdBy = :userId AND k.expiryDate > :now', { userId, now: this.clock.now() })
      .andWhere(`(k.allApplications = 1 OR EXISTS (${SOME_APPLICATION_SQL}))`);
  }
}

async function names(find: SelectQueryBuilder<ApiKey>): Promise<KeyName[]> {
  const keys = await find.orderBy('k.id', 'ASC').limit(NAMED_MAX).getMany();
  return keys.map(({ id, name, hint }) => ({ id, name, hint }));
}
