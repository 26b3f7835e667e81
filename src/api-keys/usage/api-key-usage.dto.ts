import { IsIn, Matches } from 'class-validator';
import { IfPresent } from '../../input/fields/presence.js';
import { PageQuery } from '../../input/paging.js';
import type { ProblemCode } from '../../problems/problem-codes.js';
import { sortsOf } from '../../input/sorting.js';

/** The orders of the list. */
const API_KEY_USAGE_SORTS = sortsOf('day');

/** The query for the usage of a key. */
export class ApiKeyUsageQuery extends PageQuery {
  /** The order of the list by day, with `-` in front for the newest first. Counts of one day are ordered by service,
   * path and method.
   * @example "-day" */
  @IfPresent()
  @IsIn(API_KEY_USAGE_SORTS)
  sort: (typeof API_KEY_USAGE_SORTS)[number] = '-day';

  /** The first day, in UTC. Default: 29 days before the last day.
   * @example "2026-11-01" */
  @IfPresent()
  @Matches(/^\d{4}-\d{2}-\d{2}$/, { message: 'from must be a day as YYYY-MM-DD' })
  from?: string;

  /** The last day, in UTC. Default: today.
   * @example "2026-11-30" */
  @IfPresent()
  @Matches(/^\d{4}-\d{2}-\d{2}$/, { message: 'to must be a day as YYYY-MM-DD' })
  to?: string;
}

/** The number of decisions about a key for one endpoint and Application, on one day, with one outcome. */
export class ApiKeyUsageCount {
  /** The day, in UTC.
   * @example "2026-11-23" */
  day: string;

  /** The service; empty if the request matched no endpoint.
   * @example "management" */
  service: string;

  /** The HTTP method; empty if the request matched no endpoint.
   * @example "POST" */
  method: string;

  /** The path template; empty if the request matched no endpoint.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  path: string;

  /** The Application that was opened. It is null for the whole account, for refusals, and after a thousand counters on
   * one day.
   * @example 1 */
  applicationId: number | null;

  /** `allowed`, or the code of the refusal.
   * @example "allowed" */
  outcome: 'allowed' | ProblemCode;

  /** The number of decisions.
   * @example 1342 */
  amount: number;

  /** The time of the last decision on that day.
   * @example "2026-11-23T12:34:56.789Z" */
  lastUsed: string;
}

/** An endpoint that a key was granted. */
export class UnusedEndpoint {
  /** The service of the endpoint; `management` is Latchkey itself.
   * @example "management" */
  service: string;

  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/campaigns" */
  path: string;
}

/** The usage of a key. Counts are up to 10 seconds late. */
export class ApiKeyUsagePage {
  /** The first day of the counts, in UTC.
   * @example "2026-11-01" */
  from: string;

  /** The last day of the counts, in UTC.
   * @example "2026-11-30" */
  to: string;

  /** The total number of counts.
   * @example 1 */
  totalResultSize: number;

  /** The counts of this page. */
  data: ApiKeyUsageCount[];

  /** Granted endpoints that never allowed a request of the key, on any day. */
  neverUsed: UnusedEndpoint[];
}
