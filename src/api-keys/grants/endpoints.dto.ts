import { IsIn, IsString } from 'class-validator';
import type { Scope } from '../../access/access.js';
import { Length } from '../../input/fields/length.js';
import { IfPresent } from '../../input/fields/presence.js';
import { PageQuery } from '../../input/paging.js';
import { sortsOf } from '../../input/sorting.js';

/** An endpoint that a key can be granted. */
export class EndpointView {
  /** The service of the endpoint; `management` is Latchkey itself.
   * @example "management" */
  service: string;

  /** The HTTP method.
   * @example "POST" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  path: string;

  /** Whether the endpoint works with an individual Application or with the whole account.
   * @example "application" */
  scope: Scope;

  /** What the endpoint does.
   * @example "Import coupons from a CSV file" */
  summary: string;

  /** The group of the endpoint.
   * @example "Coupons" */
  tag: string;
}

/** One page of endpoints. */
export class EndpointPage {
  /** The total number of endpoints that match.
   * @example 1 */
  totalResultSize: number;

  /** The endpoints of this page. */
  data: EndpointView[];
}

/** The orders of the list. */
const ENDPOINT_SORTS = sortsOf('service', 'path', 'method');

/** The query for the list of endpoints. */
export class EndpointQuery extends PageQuery {
  /** The order of the list, with `-` in front for descending. Equal endpoints are ordered by service, path and method.
   * @example "path" */
  @IfPresent()
  @IsIn(ENDPOINT_SORTS)
  sort: (typeof ENDPOINT_SORTS)[number] = 'service';

  /** Only endpoints of this scope. A key that is limited to Applications can only have `application` endpoints.
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

  /** Only endpoints whose method, path, summary or tag contains this text, ignoring case.
   * @example "coupons" */
  @IfPresent()
  @IsString()
  @Length(1, 200)
  q?: string;
}
