import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Principal } from '../access/principal.js';
import { Clock } from '../config/clock.js';
import { Change } from './change.entity.js';
import { responsibleUser } from './responsible-user.js';

/** What happened, for the audit trail. Never put a secret, a hash or a password into `old` or `new`. */
export interface NewChange {
  caller: Principal;
  /** The request that does it, with its real ids, such as `PUT /v1/users/7`. */
  entity: string;
  applicationId?: number;
  old?: Record<string, unknown>;
  new?: Record<string, unknown>;
  /** For entries about keys, services and passwords. */
  hiddenFromKeys?: boolean;
}

/** Writes the audit trail. */
@Injectable()
export class ChangesService {
  constructor(private readonly clock: Clock) {}

  /** Records a change in the transaction that makes it: both are kept, or neither. Answers with the id of the entry. */
  async record(tx: EntityManager, change: NewChange): Promise<number> {
    const { caller } = change;
    const { identifiers } = await tx.insert(Change, {
      created: this.clock.now(),
      userId: responsibleUser(caller),
      managementKeyId: caller.kind === 'user' ? null : caller.apiKeyId,
      applicationId: change.applicationId ?? null,
      entity: change.entity,
      old: change.old ?? null,
      new: change.new ?? null,
      hiddenFromKeys: change.hiddenFromKeys ?? false,
    });
    return identifiers[0]!.id as number;
  }

  /** Lets an entry tell what it has come to, where one change is made in many transactions. */
  async amend(tx: EntityManager, id: number, values: Pick<NewChange, 'old' | 'new'>): Promise<void> {
    await tx.update(Change, { id }, values);
  }
}
