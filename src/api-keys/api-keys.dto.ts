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

/** An endpoint that a key is to open. */
export class EndpointChoice {
  /** The service that has the endpoint; `management` is Latchkey itself.
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

  /** The path template, exactly as the catalogue has it.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  @IsString()
  @Length(1, 512)
  path: string;
}

/** A key that is to be made. */
export class NewApiKey {
  /** What the key is for, 1 to 100 characters.
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

  /** The Applications that the key opens. Absent or empty: all of them, later ones included.
   * @example [1] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(ID_MAX, { each: true })
  allowedApplicationIds?: number[];

  /** The endpoints that the key opens, from `GET /v1/endpoints`. If Applications are chosen, only endpoints that work
   * with an individual Application may be. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => EndpointChoice)
  endpoints: EndpointChoice[];
}

/** An endpoint that a key opens. */
export class GrantedEndpoint {
  /** The service that has the endpoint; `management` is Latchkey itself.
   * @example "management" */
  service: string;

  /** The HTTP method.
   * @example "POST" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons" */
  path: string;

  /** Whether the endpoint is no longer in the catalogue, and therefore denied.
   * @example false */
  gone: boolean;

  /** Whether the endpoint's scope or Application parameter changed since it was granted. It is denied until an admin
   * confirms the change with `PUT /v1/services/{service}`.
   * @example false */
  changed: boolean;

  /** Whether the endpoint needs an admin, and the key's creator is not one any more. Then it is denied
   * (`owner-not-admin`).
   * @example false */
  ownerNotAdmin: boolean;
}

/** A key, without its value. */
export class ApiKeyView {
  /** The key's id, by which it is looked up and deleted.
   * @example 34 */
  id: number;

  /** What the key is for.
   * @example "Coupon importer" */
  name: string;

  /** When the key was made.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** The id of the admin who made it. The key works only while that user is active.
   * @example 280 */
  createdBy: number;

  /** Always 1.
   * @example 1 */
  accountID: number;

  /** The first moment at which the key no longer works.
   * @example "2027-06-30T22:00:00.000Z" */
  expiryDate: string;

  /** The endpoints that it opens, in the order in which they were chosen. */
  endpoints: GrantedEndpoint[];

  /** The Applications that it is limited to. Empty with `allApplications` = all of them; empty without = none is left.
   * @example [1] */
  allowedApplicationIds: number[];

  /** Whether it was made without choosing Applications, that is, opens all of them.
   * @example false */
  allApplications: boolean;

  /** Whether it works: `expires-soon` still does, and expires within 7 days.
   * @example "valid" */
  state: ApiKeyState;

  /** Why it does not work, if it does not.
   * @example null */
  stateReason: KeyFault | null;

  /** Whether its creator is deactivated or deleted.
   * @example false */
  disabled: boolean;

  /** When it last opened something, at most 10 seconds behind.
   * @example "2026-11-23T12:34:56.789Z" */
  lastUsed: string | null;

  /** The first characters of the key, by which people recognise it.
   * @example "lkm_3fK9" */
  hint: string;
}

/** A key that was just made: the only answer, ever, that has its value. */
export class MintedApiKey extends ApiKeyView {
  /** The key itself. Copy it now: it is not stored and cannot be shown again.
   * @example "lkm_3fK9cY7pQm2XaLr0TzB4nVwd8sHgUeJ1iRoK6x5ZtNvEXAMPL" */
  key: string;
}

/** One page of keys. */
export class ApiKeyPage {
  /** How many keys there are in all.
   * @example 1 */
  totalResultSize: number;

  /** The keys of this page. */
  data: ApiKeyView[];
}

/** What the list can be sorted by. */
const API_KEY_SORTS = sortsOf('id', 'name', 'created', 'expiryDate');

/** Which keys to list. */
export class ApiKeyQuery extends PageQuery {
  /** The order of the list, `-` in front for descending.
   * @example "-id" */
  @IfPresent()
  @IsIn(API_KEY_SORTS)
  sort: (typeof API_KEY_SORTS)[number] = '-id';

  /** Only keys in this state.
   * @example "valid" */
  @IfPresent()
  @IsIn(API_KEY_STATES)
  state?: ApiKeyState;

  /** Only keys whose name contains this, ignoring case.
   * @example "importer" */
  @IfPresent()
  @IsString()
  @Length(1, 100)
  name?: string;

  /** Only keys that this user made.
   * @example 280 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  createdBy?: number;

  /** Only keys that open this Application: limited to it among others, or not limited at all.
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
