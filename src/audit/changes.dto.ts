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

/** The orders of the list. */
const CHANGE_SORTS = sortsOf('created');

/**
 * The query for the audit log. Times are compared strictly: a change at exactly the given time matches neither before
 * nor after.
 */
export class ChangeQuery extends PageQuery {
  /** The order of the list: oldest first, or newest first with `-`. New changes are added at the end of `created`, so
   * that paging neither repeats nor skips any. With `-created`, fix the end with `createdBefore`.
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

  /** Only changes by requests whose method and path contain this text, ignoring case.
   * @example "/campaigns/7" */
  @IfPresent()
  @IsString()
  @Length(1, 512)
  entityPath?: string;

  /** Only changes by this user, or by keys that this user created.
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

  /** Only changes by this key.
   * @example 34 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  managementKeyId?: number;

  /** Whether to count all matching changes. This takes longer the more there are. `hasMore` is always available.
   * @example false */
  @IfPresent()
  @QueryFlag()
  withTotalResultSize: boolean = false;

  /** Whether the response contains the state before each change.
   * @example true */
  @IfPresent()
  @QueryFlag()
  includeOld: boolean = true;
}

/** One change in the audit log. */
export class ChangeView {
  /** The id, which is never used again.
   * @example 1042 */
  id: number;

  /** When the change happened.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** The user who made the change. For a change by a key, the creator of the key; 0 if there was no user.
   * @example 280 */
  userId: number;

  /** The kind of actor: a signed-in `user`, an `api-key`, the `operator` at the command line, or the `system`.
   * @example "user" */
  actor: ChangeActor;

  /** The Application of the change, if it has one.
   * @example 1 */
  applicationId?: number;

  /** The request that made the change.
   * @example "PUT /v1/applications/1/campaigns/7" */
  entity: string;

  /** The state before; null if there was none, absent if `includeOld` is false.
   * @example {"name": "Summer sale", "state": "enabled"} */
  old?: Record<string, unknown> | null;

  /** The state after; null if there is none.
   * @example {"name": "Summer sale", "state": "disabled"} */
  new: Record<string, unknown> | null;

  /** The key that made the change, if a key did.
   * @example 34 */
  managementKeyId?: number;

  /** The address of the client, as far as `TRUST_PROXY` allows. Keys do not see it.
   * @example "203.0.113.7" */
  address?: string;
}

/** One page of the audit log. */
export class ChangePage {
  /** The total number of matching changes, if `withTotalResultSize` is true.
   * @example 1 */
  totalResultSize?: number;

  /** Whether there are more changes after this page.
   * @example false */
  hasMore: boolean;

  /** The changes of this page. */
  data: ChangeView[];
}
