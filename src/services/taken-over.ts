import { readUngrantablePattern } from '../access/paths/ungrantable-pattern.js';
import { neighbours } from '../access/paths/ungrantable-patterns.js';
import type { TakeTurn } from '../database/transactions/transaction-runner.js';
import type { ServiceDescription, SkippedOperation } from './documents/openapi-document.js';
import type { StoredEndpoint } from './stored-endpoints.js';

const REASON =
  'an earlier document had it, and a key for another endpoint would open it now: confirm that, or leave it so';
/** Operations that are compared before everybody else has a turn. */
const OPERATIONS_PER_TURN = 100;

/**
 * The operations of earlier documents that a key would open now although it was never for them: with `/users/me` out of
 * the document, its requests are some of `/users/{id}`. Until an admin confirms that, they are kept as operations that no
 * key can be granted.
 *
 * @param held paths of endpoints that keys hold
 */
export async function takenOver(
  before: { skipped: readonly SkippedOperation[]; removed: readonly StoredEndpoint[] },
  after: Pick<ServiceDescription, 'operations' | 'skipped'>,
  held: readonly string[],
  turn: TakeTurn,
): Promise<SkippedOperation[]> {
  const described = new Set([...after.operations, ...after.skipped].map(nameOf));
  const left = [...before.skipped, ...before.removed.map(asSkipped)].filter((each) => !described.has(nameOf(each)));
  // Endpoints that are not in the document count too: they may come back in a later one.
  const isBeside = neighbours(held);
  const found: SkippedOperation[] = [];
  for (const [index, operation] of left.entries()) {
    if (index % OPERATIONS_PER_TURN === OPERATIONS_PER_TURN - 1) {
      await turn();
    }
    const { method, path, pattern, by } = operation;
    if (pattern && isBeside(pattern, by)) {
      found.push({ method, path, reason: REASON, pattern, by });
    }
  }
  return found;
}

/** As long as it stands beside an endpoint with a literal where that has a parameter, its requests are not that one's. */
function asSkipped({ method, path }: StoredEndpoint): SkippedOperation {
  return { method, path, reason: REASON, pattern: readUngrantablePattern(path, () => false) ?? null, by: 'nothing' };
}

function nameOf({ method, path }: { method: string; path: string }): string {
  return `${method} ${path}`;
}
