import type { EntityManager } from 'typeorm';
import type { Principal } from '../access/principal.js';
import type { NewChange } from '../audit/changes.service.js';
import type { TakeTurn } from '../database/transactions/transaction-runner.js';

/** An entry of the audit log. It has its id once the transaction has been committed. */
export interface RecordedChange {
  id: number | undefined;
}

/** One transaction, as the work in it sees it. */
export class Write {
  /** What is to be recorded, together with the last question whether the actor may do this. */
  readonly changes: { change: NewChange; recorded: RecordedChange }[] = [];
  /** Entries of earlier transactions that are to tell what they have come to. */
  readonly amendments: { id: number; values: Pick<NewChange, 'old' | 'new'> }[] = [];

  /**
   * @param turn lets others have a turn in the middle of long work, and throws if the work has to stop; awaited every few
   * milliseconds
   * @param principal who the caller is now, where the transaction has asked first: rules about their role go by it
   */
  constructor(
    readonly tx: EntityManager,
    readonly turn: TakeTurn,
    readonly principal?: Principal,
  ) {}

  /** Records a change in the audit log: both are kept, or neither. Never put a secret, a hash or a password into it. */
  record(change: NewChange): RecordedChange {
    const recorded: RecordedChange = { id: undefined };
    this.changes.push({ change, recorded });
    return recorded;
  }

  /** Lets an entry tell what it has come to, where one change is made in many transactions. */
  amend(id: number, values: Pick<NewChange, 'old' | 'new'>): void {
    this.amendments.push({ id, values });
  }
}
