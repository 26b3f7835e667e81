import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Actor } from '../access/actor.js';
import { Clock } from '../config/clock.js';
import { Change, type ChangeActor } from './change.entity.js';
import { responsibleUser } from './responsible-user.js';

/** A change for the audit log. Never put a secret, a hash or a password into `old` or `new`. */
export interface NewChange {
  /** The request that makes the change, with its real ids, such as `PUT /v1/users/7`. */
  entity: string;
  applicationId?: number;
  old?: Record<string, unknown>;
  new?: Record<string, unknown>;
  /** True for changes of keys, services, sessions and passwords. */
  hiddenFromKeys?: boolean;
  /** The user who signs in. A sign-in has no authenticated caller. */
  signedIn?: { userId: number; address: string | undefined };
}

/** A query, starting with FROM, that selects one row if a change may be written. */
interface Condition {
  sql: string;
  parameters: (string | number)[];
}

const COLUMNS = [
  'created',
  'user_id',
  'application_id',
  'entity',
  'management_key_id',
  'hidden_from_keys',
  'old',
  'new',
  'actor',
  'address',
] as const;
const NAMES = COLUMNS.map((name) => `\`${name}\``).join(', ');
const VALUES = COLUMNS.map(() => '?').join(', ');

/** Writes the audit log. `Transactions` calls it in the transaction that makes the change. */
@Injectable()
export class ChangesService {
  constructor(private readonly clock: Clock) {}

  /** Writes a change. Returns its id. */
  async append(tx: EntityManager, actor: Actor, change: NewChange): Promise<number> {
    const id = await insert(tx, `VALUES (${VALUES})`, this.valuesOf(actor, change));
    return id!;
  }

  /** Writes a change if a query selects a row, in one query. Returns its id, or undefined if it was not written. */
  appendIf(
    tx: EntityManager,
    actor: Actor,
    change: NewChange,
    { sql, parameters }: Condition,
  ): Promise<number | undefined> {
    return insert(tx, `SELECT ${VALUES} ${sql}`, [...this.valuesOf(actor, change), ...parameters]);
  }

  /** Updates the values of a change that takes several transactions. */
  async amend(tx: EntityManager, id: number, values: Pick<NewChange, 'old' | 'new'>): Promise<void> {
    await tx.update(Change, { id }, values);
  }

  private valuesOf(actor: Actor, change: NewChange): (string | number | null)[] {
    const { signedIn } = change;
    const principal = actor.kind === 'caller' ? actor.principal : undefined;
    const address = actor.kind === 'caller' ? actor.address : signedIn?.address;
    return [
      this.clock.now(),
      principal ? responsibleUser(principal) : (signedIn?.userId ?? 0),
      change.applicationId ?? null,
      change.entity,
      principal?.kind === 'api-key' ? principal.apiKeyId : null,
      Number(change.hiddenFromKeys ?? false),
      asJson(change.old),
      asJson(change.new),
      actorName(actor),
      address ?? null,
    ];
  }
}

/** Inserts nothing if the query that provides the values selects no row. */
async function insert(
  tx: EntityManager,
  source: string,
  parameters: (string | number | null)[],
): Promise<number | undefined> {
  const { raw, affected } = (await tx.queryRunner!.query(
    `INSERT INTO changes (${NAMES}) ${source}`,
    parameters,
    true,
  )) as { raw: number | { insertId: number }; affected: number };
  return affected === 0 ? undefined : typeof raw === 'number' ? raw : raw.insertId;
}

function actorName(actor: Actor): ChangeActor {
  switch (actor.kind) {
    case 'caller':
      return actor.principal.kind;
    case 'anonymous':
      return 'user';
    case 'operator':
    case 'system':
      return actor.kind;
    default:
      return actor satisfies never;
  }
}

function asJson(value: Record<string, unknown> | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
