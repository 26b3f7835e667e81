import { IsIn, Matches } from 'class-validator';
import { IfPresent } from '../../input/fields/presence.js';
import { PageQuery } from '../../input/paging.js';
import type { ProblemCode } from '../../problems/problem-codes.js';
import { sortsOf } from '../../input/sorting.js';

/** What the list can be sorted by. */
const API_KEY_USAGE_SORTS = sortsOf('day');

/** Which days of a key's use to show. */
export class ApiKeyUsageQuery extends PageQuery {
  /** The order of the list: by day, `-` in front for the newest first; on each day by service, path and method.
   * @example "-day" */
  @IfPresent()
  @IsIn(API_KEY_USAGE_SORTS)
  sort: (typeof API_KEY_USAGE_SORTS)[number] = '-day';

  /** The first day, in UTC; 29 days before the last one where it is left out.
   * @example "2026-11-01" */
  @IfPresent()
  @Matches(/^\d{4}-\d{2}-\d{2}$/, { message: 'from must be a day as YYYY-MM-DD' })
  from?: string;

  /** The last day, in UTC; today where it is left out.
   * @example "2026-11-30" */
  @IfPresent()
  @Matches(/^\d{4}-\d{2}-\d{2}$/, { message: 'to must be a day as YYYY-MM-DD' })
  to?: string;
}

/** How often a key was judged for one endpoint and Application on one day, with one outcome. */
export class ApiKeyUsageCount {
  /** The day, in UTC.
   * @example "2026-11-23" */
  day: string;

  /** The service; empty where the request did not get as far as an endpoint.
   * @example "management" */
  service: string;

  /** The HTTP method; empty where the request did not get as far as an endpoint.
   * @example "POST" */
  method: string;

  /** The path template; empty where the request did not get as far as an endpoint.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  path: string;

  /** The Application that was opened; null for the whole account, refusals, and beyond a thousand a day.
   * @example 1 */
  applicationId: number | null;

  /** `allowed`, or the code of the refusal.
   * @example "allowed" */
  outcome: 'allowed' | ProblemCode;

  /** How often.
   * @example 1342 */
  amount: number;

  /** When last, on that day.
   * @example "2026-11-23T12:34:56.789Z" */
  lastUsed: string;
}

/** An endpoint that a key was granted. */
export class UnusedEndpoint {
  /** The service that has the endpoint; `management` is Latchkey itself.
   * @example "management" */
  service: string;

  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/campaigns" */
  path: string;
}

/** What a key was used for. Counts are at most 10 seconds behind. */
export class ApiKeyUsagePage {
  /** The first day that is counted, in UTC.
   * @example "2026-11-01" */
  from: string;

  /** The last day that is counted, in UTC.
   * @example "2026-11-30" */
  to: string;

  /** How many counts there are in all.
   * @example 1 */
  totalResultSize: number;

  /** The counts of this page. */
  data: ApiKeyUsageCount[];

  /** Granted endpoints that the key was never let in to, on any day. */
  neverUsed: UnusedEndpoint[];
}
