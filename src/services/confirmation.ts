import { createHash } from 'node:crypto';
import type { ChangedGrant } from '../api-keys/grants/changed-grants.js';
import { Problem } from '../problems/problem.js';
import type { SkippedOperation } from './documents/openapi-document.js';
import { skippedView } from './service-difference.js';
import type { ChangedGrantsView, ChangedGrantView, FieldChange } from './services.dto.js';

/** The maximum number of grants that one response lists. */
const LISTED_MAX = 1000;
/** The maximum number of operations of earlier documents that one service keeps. */
const KEPT_MAX = 2000;
/** The maximum number of grants that one entry of the audit log names. */
const NAMED_IN_CHANGES = 100;

/** What a registration changes for keys, and whether an admin confirms it. */
export class Confirmation {
  private readonly digest: string;

  /**
   * Throws `changes-not-confirmed` if an admin confirmed other changes than these. If there are no changes, any
   * confirmation is accepted, so that a repeated request succeeds.
   */
  constructor(
    private readonly grants: readonly ChangedGrant[],
    private readonly takenOver: readonly SkippedOperation[],
    private readonly confirmed: string | undefined,
  ) {
    this.digest = digestOf(grants, takenOver);
    if (!this.isEmpty && confirmed !== undefined && confirmed !== this.digest) {
      throw new Problem(
        'changes-not-confirmed',
        `confirmChanges is not the digest of what changes for keys (${grants.length} grants, ${takenOver.length} operations): ask again with dryRun=true, read changedGrants, and send its digest.`,
      );
    }
  }

  /** Whether an admin confirms a change. */
  get isGiven(): boolean {
    return this.confirmed !== undefined && !this.isEmpty;
  }

  /** The operations of earlier documents that must not be opened yet. */
  get operationsKept(): readonly SkippedOperation[] {
    return this.isGiven ? [] : this.takenOver;
  }

  /** Throws `changes-not-confirmed` if more operations would have to be kept than the limit allows. */
  refuseTooMany(): void {
    if (this.operationsKept.length > KEPT_MAX) {
      throw new Problem(
        'changes-not-confirmed',
        `More than ${KEPT_MAX} operations of earlier documents would be opened by keys for others: ask with dryRun=true, read changedGrants, and send its digest as confirmChanges.`,
      );
    }
  }

  /** The grants that the admin confirms. */
  get grantsConfirmed(): readonly ChangedGrant[] {
    return this.isGiven ? this.grants : [];
  }

  /** Returns the view for the API. */
  view(): ChangedGrantsView {
    return {
      digest: this.isEmpty ? null : this.digest,
      confirmed: this.isGiven,
      totalResultSize: this.grants.length,
      data: this.grants.slice(0, LISTED_MAX).map(viewOf),
      takenOver: this.takenOver.map(skippedView),
    };
  }

  /** Returns the summary for the audit log. */
  summary(): Record<string, unknown> {
    return {
      grantsSuspended: this.grants.length - this.grantsConfirmed.length,
      grantsConfirmed: {
        count: this.grantsConfirmed.length,
        first: this.grantsConfirmed
          .slice(0, NAMED_IN_CHANGES)
          .map(({ id, method, path, from, to }) => ({ apiKeyId: id, endpoint: `${method} ${path}`, from, to })),
      },
      operationsOpened: this.isGiven
        ? this.takenOver.slice(0, NAMED_IN_CHANGES).map(({ method, path }) => `${method} ${path}`)
        : [],
    };
  }

  private get isEmpty(): boolean {
    return this.grants.length + this.takenOver.length === 0;
  }
}

/** Computes a digest of what an admin reads before confirming: each key, each endpoint, its old and its new meaning. */
function digestOf(grants: readonly ChangedGrant[], takenOver: readonly SkippedOperation[]): string {
  const hash = createHash('sha256');
  for (const { id, position, method, path, from, to } of grants) {
    hash.update(`${JSON.stringify([id, position, method, path, from, to])}\n`);
  }
  for (const { method, path } of takenOver) {
    hash.update(`${JSON.stringify([method, path])}\n`);
  }
  return hash.digest('hex');
}

function viewOf({ id, name, hint, method, path, from, to }: ChangedGrant): ChangedGrantView {
  const scopes: FieldChange = { field: 'scope', from: scopeOf(from), to: scopeOf(to) };
  const parameters: FieldChange = { field: 'applicationParameter', from: from ?? 'unknown', to };
  const differences = [scopes, parameters].filter((change) => change.from !== change.to);
  return { id, name, hint, method, path, differences };
}

function scopeOf(applicationParameter: string | undefined): string {
  if (applicationParameter === undefined) {
    return 'unknown';
  }
  return applicationParameter === '' ? 'account' : 'application';
}
