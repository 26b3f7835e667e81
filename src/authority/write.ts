import type { EntityManager } from 'typeorm';
import type { Principal } from '../access/principal.js';
import type { NewChange } from '../audit/changes.service.js';
import type { TakeTurn } from '../database/transactions/transaction-runner.js';

/** An entry of the audit log. It gets its id when the transaction commits. */
export interface RecordedChange {
  id: number | undefined;
}

/** One transaction, as its work sees it. */
export class Write {
  /** The entries to write to the audit log, when the transaction checks the actor for the last time. */
  readonly changes: { change: NewChange; recorded: RecordedChange }[] = [];
  /** Entries of earlier transactions whose values are to be updated. */
  readonly amendments: { id: number; values: Pick<NewChange, 'old' | 'new'> }[] = [];

  /**
   * Creates the view of a transaction that its work gets.
   *
   * @param turn lets other work run in the middle of long work, and throws if the work must stop; await it every few
   *   milliseconds
   * @param principal the current principal of the caller, if the transaction has already read it; rules about roles use
   *   it
   */
  constructor(
    readonly tx: EntityManager,
    readonly turn: TakeTurn,
    readonly principal?: Principal,
  ) {}

  /**
   * Records a change in the audit log. The change and its entry are committed together or not at all. Never put a
   * secret, a hash or a password into it.
   */
  record(change: NewChange): RecordedChange {
    const recorded: RecordedChange = { id: undefined };
    this.changes.push({ change, recorded });
    return recorded;
  }

  /** Updates the values of an entry. A change that takes many transactions uses it to record its progress. */
  amend(id: number, values: Pick<NewChange, 'old' | 'new'>): void {
    this.amendments.push({ id, values });
  }
}
