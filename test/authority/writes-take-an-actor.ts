/*
 * This file never runs: `npm run types` compiles it. Each line marked as an error must not compile, or else the
 * compiler reports that the mark is unused. So a write without an actor is impossible, and not only forbidden.
 */
import { ANONYMOUS, system } from '../../src/access/actor.js';
import type { Caller } from '../../src/access/caller.js';
import type { UserPrincipal } from '../../src/access/principal.js';
import type { Transactions } from '../../src/authority/transactions.js';
import type { Write } from '../../src/authority/write.js';

/** Contains writes that compile, and writes that do not. */
export async function write(transactions: Transactions, caller: Caller, principal: UserPrincipal): Promise<void> {
  const work = ({ tx }: Write): Promise<unknown> => tx.query('DELETE FROM coupons');
  const lockNothing = (): Promise<void> => Promise.resolve();

  await transactions.write(caller, work);
  await transactions.write(ANONYMOUS, work);
  await transactions.write(system('usage'), work);
  await transactions.changeAuthority(caller, work);
  await transactions.endAuthority(caller, lockNothing, work);

  // @ts-expect-error The actor is missing.
  await transactions.write(work);
  // @ts-expect-error Undefined is not an actor.
  await transactions.write(undefined, work);
  // @ts-expect-error This kind of actor does not exist.
  await transactions.write({ kind: 'somebody' }, work);
  // @ts-expect-error This task does not exist.
  await transactions.write(system('whatever'), work);
  // @ts-expect-error A user is not an actor. Only a caller is, whom the guard authorized for one endpoint.
  await transactions.write(principal, work);
  // @ts-expect-error The actor is missing.
  await transactions.changeAuthority(work);
  // @ts-expect-error The actor is missing.
  await transactions.endAuthority(lockNothing, work);
}
