import { IsIn, IsString } from 'class-validator';
import { FoldsWithin } from '../database/fold.js';
import { Length, MaxLength } from '../input/fields/length.js';
import { IfPresent } from '../input/fields/presence.js';
import { IsJsonObject } from '../input/fields/json-object.js';
import { IsOneLine } from '../input/fields/one-line.js';
import { PageQuery } from '../input/paging.js';
import { sortsOf } from '../input/sorting.js';
import { Trimmed } from '../input/fields/trimmed.js';
import { IsCurrency, IsTimezone, KnownTimezone } from './locale.js';

/** An Application to create. */
export class NewApplication {
  /** The name, 1 to 100 characters on one line. It must be unique, ignoring case.
   * @example "Web shop Germany" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  @IsOneLine()
  name: string;

  /** The purpose of the Application.
   * @example "The German web shop and its app." */
  @IfPresent()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  /** The time zone of its users, as an IANA name.
   * @example "Europe/Berlin" */
  @KnownTimezone()
  @IsTimezone()
  timezone: string;

  /** The currency of its prices, as an ISO 4217 code.
   * @example "EUR" */
  @IsCurrency()
  currency: string;

  /** Any other data, as a JSON object.
   * @example {"country": "DE"} */
  @IfPresent()
  @IsJsonObject()
  attributes?: Record<string, unknown>;
}

/** The fields of an Application to change. Fields that are left out stay unchanged. */
export class ApplicationUpdate {
  /** The name, 1 to 100 characters on one line. It must be unique, ignoring case.
   * @example "Web shop Germany and Austria" */
  @IfPresent()
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  @IsOneLine()
  name?: string;

  /** The purpose of the Application.
   * @example "The German and Austrian web shops and their app." */
  @IfPresent()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  /** The time zone of its users, as an IANA name.
   * @example "Europe/Vienna" */
  @IfPresent()
  @KnownTimezone()
  @IsTimezone()
  timezone?: string;

  /** The currency of its prices, as an ISO 4217 code.
   * @example "EUR" */
  @IfPresent()
  @IsCurrency()
  currency?: string;

  /** Any other data, as a JSON object. It replaces the previous object.
   * @example {"country": "AT"} */
  @IfPresent()
  @IsJsonObject()
  attributes?: Record<string, unknown>;
}

/** A tenant of the back office. Each campaign belongs to one Application, and a key may be limited to some. */
export class ApplicationView {
  /** The id, which is never used again.
   * @example 1 */
  id: number;

  /** When the Application was created.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When the Application was last changed.
   * @example "2026-11-23T12:00:00.000Z" */
  modified: string;

  /** Always 1.
   * @example 1 */
  accountId: number;

  /** The name.
   * @example "Web shop Germany" */
  name: string;

  /** The purpose of the Application.
   * @example "The German web shop and its app." */
  description: string;

  /** The time zone of its users, as an IANA name.
   * @example "Europe/Berlin" */
  timezone: string;

  /** The currency of its prices, as an ISO 4217 code.
   * @example "EUR" */
  currency: string;

  /** Any other data.
   * @example {"country": "DE"} */
  attributes: Record<string, unknown>;

  /** Always empty: there are no loyalty programs here.
   * @example [] */
  loyaltyPrograms: string[];
}

/** One page of Applications. */
export class ApplicationPage {
  /** The total number of Applications.
   * @example 1 */
  totalResultSize: number;

  /** The Applications of this page. */
  data: ApplicationView[];
}

/** The orders of the list. */
const APPLICATION_SORTS = sortsOf('id', 'name', 'created', 'modified');

/** The query for the list of Applications. */
export class ApplicationQuery extends PageQuery {
  /** The order of the list, with `-` in front for descending. Equal Applications are ordered by id.
   * @example "name" */
  @IfPresent()
  @IsIn(APPLICATION_SORTS)
  sort: (typeof APPLICATION_SORTS)[number] = 'id';
}
