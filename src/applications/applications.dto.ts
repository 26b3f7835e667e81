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

/** An Application that is to be made. */
export class NewApplication {
  /** What people call it, 1 to 100 characters on one line; unique, whatever its case.
   * @example "Web shop Germany" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  @IsOneLine()
  name: string;

  /** What it is for.
   * @example "The German web shop and its app." */
  @IfPresent()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  /** The time zone that its people live in, by its IANA name.
   * @example "Europe/Berlin" */
  @KnownTimezone()
  @IsTimezone()
  timezone: string;

  /** The currency that it sells in, by its ISO 4217 code.
   * @example "EUR" */
  @IsCurrency()
  currency: string;

  /** Whatever else is to be kept with it, a JSON object.
   * @example {"country": "DE"} */
  @IfPresent()
  @IsJsonObject()
  attributes?: Record<string, unknown>;
}

/** What is to change about an Application. What is left out stays as it is. */
export class ApplicationUpdate {
  /** What people call it, 1 to 100 characters on one line; unique, whatever its case.
   * @example "Web shop Germany and Austria" */
  @IfPresent()
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  @IsOneLine()
  name?: string;

  /** What it is for.
   * @example "The German and Austrian web shops and their app." */
  @IfPresent()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  /** The time zone that its people live in, by its IANA name.
   * @example "Europe/Vienna" */
  @IfPresent()
  @KnownTimezone()
  @IsTimezone()
  timezone?: string;

  /** The currency that it sells in, by its ISO 4217 code.
   * @example "EUR" */
  @IfPresent()
  @IsCurrency()
  currency?: string;

  /** Whatever else is to be kept with it, a JSON object; it takes the place of the one before.
   * @example {"country": "AT"} */
  @IfPresent()
  @IsJsonObject()
  attributes?: Record<string, unknown>;
}

/** A tenant of the back office: campaigns belong to one, and keys may be limited to some. */
export class ApplicationView {
  /** Given out once and never again.
   * @example 1 */
  id: number;

  /** When it was made.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When it was changed last.
   * @example "2026-11-23T12:00:00.000Z" */
  modified: string;

  /** Always 1.
   * @example 1 */
  accountId: number;

  /** What people call it.
   * @example "Web shop Germany" */
  name: string;

  /** What it is for.
   * @example "The German web shop and its app." */
  description: string;

  /** The time zone that its people live in, by its IANA name.
   * @example "Europe/Berlin" */
  timezone: string;

  /** The currency that it sells in, by its ISO 4217 code.
   * @example "EUR" */
  currency: string;

  /** Whatever else is kept with it.
   * @example {"country": "DE"} */
  attributes: Record<string, unknown>;

  /** Always empty: there are no loyalty programs here.
   * @example [] */
  loyaltyPrograms: string[];
}

/** One page of Applications. */
export class ApplicationPage {
  /** How many Applications there are in all.
   * @example 1 */
  totalResultSize: number;

  /** The Applications of this page. */
  data: ApplicationView[];
}

/** What the list can be sorted by. */
const APPLICATION_SORTS = sortsOf('id', 'name', 'created', 'modified');

/** Which Applications to list. */
export class ApplicationQuery extends PageQuery {
  /** The order of the list, `-` in front for descending; what is equal in it is ordered by id.
   * @example "name" */
  @IfPresent()
  @IsIn(APPLICATION_SORTS)
  sort: (typeof APPLICATION_SORTS)[number] = 'id';
}
