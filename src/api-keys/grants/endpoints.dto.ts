import { IsIn, IsString } from 'class-validator';
import type { Scope } from '../../access/access.js';
import { Length } from '../../input/fields/length.js';
import { IfPresent } from '../../input/fields/presence.js';
import { PageQuery } from '../../input/paging.js';
import { sortsOf } from '../../input/sorting.js';

/** An endpoint that may be granted to a key. */
export class EndpointView {
  /** The service that has the endpoint; `management` is Latchkey itself.
   * @example "management" */
  service: string;

  /** The HTTP method.
   * @example "POST" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  path: string;

  /** Whether it works with one individual Application or with the whole account.
   * @example "application" */
  scope: Scope;

  /** What it does.
   * @example "Import coupons from a CSV file" */
  summary: string;

  /** The group it belongs to.
   * @example "Coupons" */
  tag: string;
}

/** One page of endpoints. */
export class EndpointPage {
  /** How many endpoints there are in all.
   * @example 1 */
  totalResultSize: number;

  /** The endpoints of this page. */
  data: EndpointView[];
}

/** What the list can be sorted by. */
const ENDPOINT_SORTS = sortsOf('service', 'path', 'method');

/** Which endpoints to list. */
export class EndpointQuery extends PageQuery {
  /** The order of the list, `-` in front for descending; what is equal in it is ordered by service, path and method.
   * @example "path" */
  @IfPresent()
  @IsIn(ENDPOINT_SORTS)
  sort: (typeof ENDPOINT_SORTS)[number] = 'service';

  /** Only endpoints of this scope. For a key that is limited to Applications, only `application` can be chosen.
   * @example "application" */
  @IfPresent()
  @IsIn(['account', 'application'])
  scope?: Scope;

  /** Only endpoints of this service.
   * @example "management" */
  @IfPresent()
  @IsString()
  @Length(1, 42)
  service?: string;

  /** Only endpoints whose method, path, summary or tag contains this, ignoring case.
   * @example "coupons" */
  @IfPresent()
  @IsString()
  @Length(1, 200)
  q?: string;
}
