import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Problem } from '../http/problem.js';

/** How long an import waits for those of other processes; as long as any write waits on SQLite. */
const WAIT_MS = 60_000;
/** How long one statement waits for that, in seconds: less than a statement of a server that answers may take. */
const STATEMENT_SECONDS = 1;

/**
 * Lets one import after the other write to an Application, whichever processes they run in. On SQLite the transaction has
 * the database to itself anyway. On MySQL, two imports of the same codes would otherwise wait for each other's rows until
 * both give up; so the second learns which of its codes the first has taken.
 */
export async function withImportTurn<Result>(
  tx: EntityManager,
  applicationId: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const { options } = tx.dataSource;
  if (options.type !== 'mysql') {
    return work();
  }
  // Names of locks are shared by all databases of a server.
  const database = createHash('sha256').update(String(options.database)).digest('hex').slice(0, 16);
  const name = `latchkey:${database}:import:${applicationId}`;
  const deadline = performance.now() + WAIT_MS;
  while (!(await lock(tx, name))) {
    if (performance.now() > deadline) {
      throw new Problem('too-busy', 'Another import writes to this Application.', { retryAfterSeconds: 10 });
    }
  }
  try {
    return await work();
  } finally {
    await tx.query('SELECT RELEASE_LOCK(?)', [name]);
  }
}

async function lock(tx: EntityManager, name: string): Promise<boolean> {
  const rows: { locked: number | null }[] = await tx.query('SELECT GET_LOCK(?, ?) AS locked', [
    name,
    STATEMENT_SECONDS,
  ]);
  return Number(rows[0]?.locked) === 1;
}
