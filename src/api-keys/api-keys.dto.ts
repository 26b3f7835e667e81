import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { FoldsWithin } from '../database/fold.js';
import { ID_MAX } from '../input/id.pipe.js';
import { Length, MaxLength } from '../input/fields/length.js';
import { IfPresent } from '../input/fields/presence.js';
import { PageQuery } from '../input/paging.js';
import { sortsOf } from '../input/sorting.js';
import { Trimmed } from '../input/fields/trimmed.js';
import { WholeNumber } from '../input/fields/whole-number.js';
import { IsExpiryDate } from './expiry-date.js';
import { API_KEY_STATES, type ApiKeyState, type KeyFault } from './key-condition.js';

/** An endpoint chosen for a key. */
export class EndpointChoice {
  /** The service of the endpoint; `management` is Latchkey itself.
   * @example "management" */
  @IfPresent()
  @IsString()
  @Length(1, 42)
  service?: string;

  /** The HTTP method, in capitals.
   * @example "POST" */
  @IsString()
  @Matches(/^[A-Z]{1,16}$/, { message: 'method must be an HTTP method in capitals' })
  method: string;

  /** The path template, exactly as in `GET /v1/endpoints`.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  @IsString()
  @Length(1, 512)
  path: string;
}

/** A key to create. */
export class NewApiKey {
  /** The purpose of the key, 1 to 100 characters.
   * @example "Coupon importer" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  name: string;

  /** The first moment at which the key no longer works: an RFC 3339 time with an offset, or a day (`2027-06-30`), which
   * means the end of that day in UTC.
   * @example "2027-06-30T22:00:00Z" */
  @IsString()
  @MaxLength(40)
  @IsExpiryDate()
  expiryDate: string;

  /** The ids of the Applications that the key opens. Absent or empty: all Applications, including later ones.
   * @example [1] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(ID_MAX, { each: true })
  allowedApplicationIds?: number[];

  /**
   * The endpoints that the key opens, from `GET /v1/endpoints`. With `allowedApplicationIds`, every endpoint must work
   * with an individual Application.
   */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => EndpointChoice)
  endpoints: EndpointChoice[];
}

/** An endpoint that a key was granted. */
export class GrantedEndpoint {
  /** The service of the endpoint; `management` is Latchkey itself.
   * @example "management" */
  service: string;

  /** The HTTP method.
   * @example "POST" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  path: string;

  /** Whether the endpoint is no longer in the catalogue. It is then denied.
   * @example false */
  gone: boolean;

  /** Whether the scope or the Application parameter of the endpoint has changed since it was granted. It is then denied
   * until an admin confirms the change with `PUT /v1/services/{service}`.
   * @example false */
  changed: boolean;

  /** Whether the endpoint needs an admin and the creator of the key is no longer one. It is then denied
   * (`owner-not-admin`).
   * @example false */
  ownerNotAdmin: boolean;
}

/** A key, without its secret. */
export class ApiKeyView {
  /** The id of the key.
   * @example 34 */
  id: number;

  /** The purpose of the key.
   * @example "Coupon importer" */
  name: string;

  /** When the key was created.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** The id of the admin who created the key. The key works only while this user is active.
   * @example 280 */
  createdBy: number;

  /** Always 1.
   * @example 1 */
  accountID: number;

  /** The first moment at which the key no longer works.
   * @example "2027-06-30T22:00:00.000Z" */
  expiryDate: string;

  /** The endpoints that the key was granted, in the order in which the admin chose them. */
  endpoints: GrantedEndpoint[];

  /** The Applications that the key is limited to. If it is empty, `allApplications` tells whether the key opens all
   * Applications, or none because all of them were deleted.
   * @example [1] */
  allowedApplicationIds: number[];

  /** Whether the key was created without a list of Applications, so that it opens all of them.
   * @example false */
  allApplications: boolean;

  /** Whether the key works. `expires-soon` means that it works and expires within 7 days.
   * @example "valid" */
  state: ApiKeyState;

  /** Why the key does not work; null if it works.
   * @example null */
  stateReason: KeyFault | null;

  /** Whether the creator of the key is deactivated or deleted.
   * @example false */
  disabled: boolean;

  /** When the key last opened something; null if it never did. Up to 10 seconds late.
   * @example "2026-11-23T12:34:56.789Z" */
  lastUsed: string | null;

  /** The first characters of the secret, by which people recognise the key.
   * @example "lkm_3fK9" */
  hint: string;
}

/** A key that was just created. Only this response ever contains its secret. */
export class MintedApiKey extends ApiKeyView {
  /** The secret of the key. Copy it now: Latchkey does not store it and cannot show it again.
   * @example "lkm_3fK9cY7pQm2XaLr0TzB4nVwd8sHgUeJ1iRoK6x5ZtNvEXAMPL" */
  key: string;
}

/** One page of keys. */
export class ApiKeyPage {
  /** The total number of keys that match.
   * @example 1 */
  totalResultSize: number;

  /** The keys of this page. */
  data: ApiKeyView[];
}

/** The orders of the list. */
const API_KEY_SORTS = sortsOf('id', 'name', 'created', 'expiryDate');

/** The query for the list of keys. */
export class ApiKeyQuery extends PageQuery {
  /** The order of the list, with `-` in front for descending.
   * @example "-id" */
  @IfPresent()
  @IsIn(API_KEY_SORTS)
  sort: (typeof API_KEY_SORTS)[number] = '-id';

  /** Only keys in this state.
   * @example "valid" */
  @IfPresent()
  @IsIn(API_KEY_STATES)
  state?: ApiKeyState;

  /** Only keys whose name contains this text, ignoring case.
   * @example "importer" */
  @IfPresent()
  @IsString()
  @Length(1, 100)
  name?: string;

  /** Only keys that this user created.
   * @example 280 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  createdBy?: number;

  /** Only keys that open this Application. This includes keys that open all Applications.
   * @example 1 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  applicationId?: number;

  /** Only keys that were granted this endpoint, as `METHOD /path/{template}` or `service METHOD /path/{template}`.
   * @example "POST /v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  @IfPresent()
  @IsString()
  @Matches(/^(?:[a-z][a-z0-9-]* )?[A-Z]+ \/.*$/, { message: 'endpoint must be METHOD /path, or service METHOD /path' })
  @MaxLength(600)
  endpoint?: string;
}
