import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, Matches } from 'class-validator';
import type { Scope } from '../access/access.js';
import { Length, MaxLength } from '../input/fields/length.js';
import { IsOneLine } from '../input/fields/one-line.js';
import { IfPresent } from '../input/fields/presence.js';
import { PageQuery } from '../input/paging.js';
import { QueryFlag } from '../input/fields/query-flag.js';
import { sortsOf } from '../input/sorting.js';
import { Trimmed } from '../input/fields/trimmed.js';

/** A service as it is to be registered, without its OpenAPI document. */
export class ServiceFields {
  /** What people call it, 1 to 100 characters on one line.
   * @example "Billing" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @IsOneLine()
  name: string;

  /** What it is for.
   * @example "Invoices and payments" */
  @IfPresent()
  @IsString()
  @MaxLength(5000)
  description?: string;

  /** The name of the path parameter that holds an Application's id: an endpoint whose path has it works with one
   * Application.
   * @example "applicationId" */
  @IfPresent()
  @IsString()
  @Length(1, 100)
  @Matches(/^[^{}/]*$/, { message: 'applicationParameter must be the name of a path parameter, without braces' })
  applicationParameter?: string;

  /** Lets keys use the endpoints whose scope or Application parameter changed since they were granted: the
   * `changedGrants.digest` of a dry run that you have read. It confirms those changes and no others.
   * @example "9f2d3c0e5b7a4f61c8d09e1b2a3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d" */
  @IfPresent()
  @IsString()
  @MaxLength(100)
  confirmChanges?: string;
}

/** A service as it is to be registered. */
export class NewService extends ServiceFields {
  /** An OpenAPI 3.0 or 3.1 document, as an object or as JSON or YAML in a text, in one piece: references to other
   * documents are refused. It is read and not kept.
   * @example {"openapi": "3.1.0", "info": {"title": "Billing", "version": "1"}, "servers": [{"url": "/v1"}], "paths": {"/applications/{applicationId}/invoices": {"get": {"summary": "List the invoices of an Application", "tags": ["Invoices"]}}}} */
  @ApiProperty({ oneOf: [{ type: 'object', additionalProperties: true }, { type: 'string' }] })
  openapi: object | string;
}

/** How to register a service. */
export class ServiceQuery {
  /** Whether only to say what would change.
   * @example true */
  @QueryFlag()
  dryRun: boolean = false;
}

/** An endpoint of a service. */
export class ServiceEndpointView {
  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path template, with the server's path in front.
   * @example "/v1/applications/{applicationId}/invoices" */
  path: string;

  /** Whether it works with one individual Application or with the whole account.
   * @example "application" */
  scope: Scope;

  /** What it does.
   * @example "List the invoices of an Application" */
  summary: string;

  /** The group it belongs to; empty where the document names none.
   * @example "Invoices" */
  tag: string;

  /** Whether the service says that it will go away.
   * @example false */
  deprecated: boolean;
}

/** An operation of the document that keys cannot be granted. */
export class SkippedOperationView {
  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path as the document has it.
   * @example "/v1/compare/{base}...{head}" */
  path: string;

  /** Why keys cannot be granted it.
   * @example "a segment is only partly a parameter" */
  reason: string;
}

/** What is different about one field of an endpoint. */
export class FieldChange {
  /** The field.
   * @example "scope" */
  field: string;

  /** What it was.
   * @example "application" */
  from: string;

  /** What it is now.
   * @example "account" */
  to: string;
}

/** An endpoint that stays and is not as it was. */
export class ChangedEndpoint extends ServiceEndpointView {
  /** What is different about it. */
  differences: FieldChange[];
}

/** A key that holds an endpoint which was removed or changed. */
export class AffectedKey {
  /** The key's id.
   * @example 34 */
  id: number;

  /** What the key is for.
   * @example "Invoice reader" */
  name: string;

  /** The first characters of the key.
   * @example "lkm_3fK9" */
  hint: string;
}

/** The keys that hold an endpoint which was removed or changed. */
export class AffectedKeys {
  /** How many there are.
   * @example 1 */
  totalResultSize: number;

  /** The first hundred of them, by id. */
  data: AffectedKey[];
}

/** A grant of a key whose endpoint does not mean what it meant when it was granted. */
export class ChangedGrantView extends AffectedKey {
  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/partners/{partnerId}" */
  path: string;

  /** What is different: the scope, and the parameter that holds the Application's id (empty for the whole account). */
  differences: FieldChange[];
}

/** The grants whose endpoint does not mean what it meant when it was granted. They are refused until they are confirmed. */
export class ChangedGrantsView {
  /** What to send as `confirmChanges` to confirm exactly these; null where there are none.
   * @example "9f2d3c0e5b7a4f61c8d09e1b2a3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d" */
  digest: string | null;

  /** Whether this request confirms them.
   * @example false */
  confirmed: boolean;

  /** How many there are.
   * @example 1 */
  totalResultSize: number;

  /** The first thousand of them, by key. */
  data: ChangedGrantView[];

  /** Operations of earlier documents that keys for other endpoints would open now, as `/users/me` is a `/users/{id}` once
   * the document no longer has it. They are refused until they are confirmed with the same digest. */
  takenOver: SkippedOperationView[];
}

/** What registering a service changed, or would change. */
export class ServiceDifference {
  /** The service, as it stands in paths and grants.
   * @example "billing" */
  service: string;

  /** Whether nothing was done.
   * @example false */
  dryRun: boolean;

  /** How many endpoints the service has now.
   * @example 12 */
  endpointCount: number;

  /** Endpoints that are new. */
  added: ServiceEndpointView[];

  /** Endpoints that are gone: denied at once, also to keys that hold them. */
  removed: ServiceEndpointView[];

  /** Endpoints that are not as they were. */
  changed: ChangedEndpoint[];

  /** Operations of the document that keys cannot be granted. */
  skipped: SkippedOperationView[];

  /** The keys that hold an endpoint which was removed or changed. */
  affectedKeys: AffectedKeys;

  /** What keys were granted and does not mean the same any more, by this registration or an earlier one. */
  changedGrants: ChangedGrantsView;
}

/** A service in a list. */
export class ServiceSummary {
  /** The service, as it stands in paths and grants.
   * @example "billing" */
  service: string;

  /** When it was first registered.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When it was last changed.
   * @example "2026-11-23T12:00:00.000Z" */
  modified: string;

  /** What people call it.
   * @example "Billing" */
  name: string;

  /** What it is for.
   * @example "Invoices and payments" */
  description: string;

  /** The name of the path parameter that holds an Application's id.
   * @example "applicationId" */
  applicationParameter: string;

  /** How many endpoints it has that keys can be granted.
   * @example 12 */
  endpointCount: number;

  /** How many operations of its document keys cannot be granted.
   * @example 1 */
  skippedCount: number;
}

/** A service with its endpoints. */
export class ServiceView extends ServiceSummary {
  /** Its endpoints, by path and method. */
  endpoints: ServiceEndpointView[];

  /** Operations of its document that keys cannot be granted. */
  skipped: SkippedOperationView[];
}

/** One page of services. */
export class ServicePage {
  /** How many services there are in all.
   * @example 1 */
  totalResultSize: number;

  /** The services of this page. */
  data: ServiceSummary[];
}

/** What the list can be sorted by. */
const SERVICE_SORTS = sortsOf('service', 'name', 'created', 'modified');

/** Which services to list. */
export class ServicesQuery extends PageQuery {
  /** The order of the list, `-` in front for descending.
   * @example "service" */
  @IfPresent()
  @IsIn(SERVICE_SORTS)
  sort: (typeof SERVICE_SORTS)[number] = 'service';
}
