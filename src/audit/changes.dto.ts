import { IsIn, IsInt, IsString, Max, Min } from 'class-validator';
import { ID_MAX } from '../input/id.pipe.js';
import { Length } from '../input/fields/length.js';
import { IfPresent } from '../input/fields/presence.js';
import { PageQuery } from '../input/paging.js';
import { QueryFlag } from '../input/fields/query-flag.js';
import { IsTime } from '../input/fields/rfc3339.js';
import { sortsOf } from '../input/sorting.js';
import { WholeNumber } from '../input/fields/whole-number.js';
import type { ChangeActor } from './change.entity.js';

/** What the list can be sorted by. */
const CHANGE_SORTS = sortsOf('created');

/**
 * Which entries of the audit trail to list. Times are compared strictly: what happened at that very moment is neither
 * before nor after.
 */
export class ChangeQuery extends PageQuery {
  /** The order of the list: oldest first, or newest first with `-`. New entries come to the end of `created`, so that
   * paging through it neither repeats nor skips any; with `-created`, fix the end with `createdBefore`.
   * @example "-created" */
  @IfPresent()
  @IsIn(CHANGE_SORTS)
  sort: (typeof CHANGE_SORTS)[number] = 'created';

  /** Only changes in this Application.
   * @example 1 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  applicationId?: number;

  /** Only changes by requests whose method and path contain this, ignoring case.
   * @example "/campaigns/7" */
  @IfPresent()
  @IsString()
  @Length(1, 512)
  entityPath?: string;

  /** Only changes by this user, or with keys that this user made.
   * @example 280 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  userId?: number;

  /** Only changes before this RFC 3339 time.
   * @example "2026-12-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdBefore?: string;

  /** Only changes after this RFC 3339 time.
   * @example "2026-11-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdAfter?: string;

  /** Only changes with this key.
   * @example 34 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  managementKeyId?: number;

  /** Whether all entries are counted. It takes the longer the more there are; `hasMore` is there anyway.
   * @example false */
  @IfPresent()
  @QueryFlag()
  withTotalResultSize: boolean = false;

  /** Whether the answer has what was there before each change.
   * @example true */
  @IfPresent()
  @QueryFlag()
  includeOld: boolean = true;
}

/** One entry of the audit trail. */
export class ChangeView {
  /** Given out once and never again.
   * @example 1042 */
  id: number;

  /** When it happened.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** Who did it; for a change with a key, the creator of the key; 0 where no user did.
   * @example 280 */
  userId: number;

  /** What kind of actor did it: a signed-in `user`, an `api-key`, the `operator` at the command line, or the `system`.
   * @example "user" */
  actor: ChangeActor;

  /** The Application that it is about, if it is about one.
   * @example 1 */
  applicationId?: number;

  /** The request that did it.
   * @example "PUT /v1/applications/1/campaigns/7" */
  entity: string;

  /** What was there before; null if nothing was, absent if `includeOld` is false.
   * @example {"name": "Summer sale", "state": "enabled"} */
  old?: Record<string, unknown> | null;

  /** What is there since; null if nothing is.
   * @example {"name": "Summer sale", "state": "disabled"} */
  new: Record<string, unknown> | null;

  /** The key that it was done with, if it was one.
   * @example 34 */
  managementKeyId?: number;

  /** The client's address, as far as `TRUST_PROXY` goes. Keys do not see it.
   * @example "203.0.113.7" */
  address?: string;
}

/** One page of the audit trail. */
export class ChangePage {
  /** How many entries there are in all, on this and all other pages; only if `withTotalResultSize` asks for it.
   * @example 1 */
  totalResultSize?: number;

  /** Whether there are entries after this page.
   * @example false */
  hasMore: boolean;

  /** The entries of this page. */
  data: ChangeView[];
}
