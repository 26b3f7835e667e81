import { readUngrantablePattern } from '../access/paths/ungrantable-pattern.js';
import { neighbours } from '../access/paths/ungrantable-patterns.js';
import type { TakeTurn } from '../database/transactions/transaction-runner.js';
import { type ServiceDescription, patternOfStored, type SkippedOperation } from './documents/openapi-document.js';
import type { StoredEndpoint } from './stored-endpoints.js';

const REASON =
  'an earlier document had it, and a key for another endpoint would open it now: confirm that, or leave it so';
/** How many operations are compared before the event loop gets a turn. */
const OPERATIONS_PER_TURN = 100;

/**
 * Finds the operations of earlier documents that a key would now open although it was never granted them. For example,
 * if the document drops `/users/me`, requests for it match `/users/{id}`. Until an admin confirms, these operations are
 * kept as ungrantable.
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
  // Endpoints that are not in the document count too, because a later document may have them again.
  const isBeside = neighbours(held);
  const found: SkippedOperation[] = [];
  for (const [index, operation] of left.entries()) {
    if (index % OPERATIONS_PER_TURN === OPERATIONS_PER_TURN - 1) {
      await turn();
    }
    const { pattern, by } = patternOfStored(operation);
    if (pattern && isBeside(pattern, by)) {
      const { method, path } = operation;
      found.push({ method, path, reason: REASON, pattern, by });
    }
  }
  return found;
}

/**
 * Converts an endpoint to an ungrantable operation. While it exists beside an endpoint that has a parameter where it
 * has a literal, its requests do not match that endpoint.
 */
function asSkipped({ method, path }: StoredEndpoint): SkippedOperation {
  return { method, path, reason: REASON, pattern: readUngrantablePattern(path, () => false) ?? null, by: 'nothing' };
}

function nameOf({ method, path }: { method: string; path: string }): string {
  return `${method} ${path}`;
}
