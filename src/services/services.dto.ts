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

/** A service to register, without its OpenAPI document. */
export class ServiceFields {
  /** The name that people see, 1 to 100 characters on one line.
   * @example "Billing" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @IsOneLine()
  name: string;

  /** The purpose of the service.
   * @example "Invoices and payments" */
  @IfPresent()
  @IsString()
  @MaxLength(5000)
  description?: string;

  /** The name of the path parameter that holds the Application id. Endpoints whose path has this parameter work with an
   * individual Application.
   * @example "applicationId" */
  @IfPresent()
  @IsString()
  @Length(1, 100)
  @Matches(/^[^{}/]*$/, { message: 'applicationParameter must be the name of a path parameter, without braces' })
  applicationParameter?: string;

  /** The `changedGrants.digest` of a dry run that you have read. It confirms exactly the changes of that dry run: keys
   * can use the endpoints whose scope or Application parameter changed since they were granted.
   * @example "9f2d3c0e5b7a4f61c8d09e1b2a3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d" */
  @IfPresent()
  @IsString()
  @MaxLength(100)
  confirmChanges?: string;
}

/** A service to register. */
export class NewService extends ServiceFields {
  /** An OpenAPI 3.0 or 3.1 document, as an object, or as a string with JSON or YAML. References to other documents are
   * refused. Latchkey reads the document and does not store it.
   * @example {"openapi": "3.1.0", "info": {"title": "Billing", "version": "1"}, "servers": [{"url": "/v1"}], "paths": {"/applications/{applicationId}/invoices": {"get": {"summary": "List the invoices of an Application", "tags": ["Invoices"]}}}} */
  @ApiProperty({ oneOf: [{ type: 'object', additionalProperties: true }, { type: 'string' }] })
  openapi: object | string;
}

/** Options of a registration. */
export class ServiceQuery {
  /** Whether to return the difference without changing anything.
   * @example true */
  @QueryFlag()
  dryRun: boolean = false;
}

/** An endpoint of a service. */
export class ServiceEndpointView {
  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path template, with the path of the server in front.
   * @example "/v1/applications/{applicationId}/invoices" */
  path: string;

  /** Whether the endpoint works with an individual Application or with the whole account.
   * @example "application" */
  scope: Scope;

  /** What the endpoint does.
   * @example "List the invoices of an Application" */
  summary: string;

  /** The group of the endpoint; empty if the document names none.
   * @example "Invoices" */
  tag: string;

  /** Whether the document marks the endpoint as deprecated.
   * @example false */
  deprecated: boolean;
}

/** An operation of the document that keys cannot be granted. */
export class SkippedOperationView {
  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path as in the document.
   * @example "/v1/compare/{base}...{head}" */
  path: string;

  /** Why keys cannot be granted the operation.
   * @example "a segment is only partly a parameter" */
  reason: string;
}

/** A change of one field of an endpoint. */
export class FieldChange {
  /** The field.
   * @example "scope" */
  field: string;

  /** The old value.
   * @example "application" */
  from: string;

  /** The new value.
   * @example "account" */
  to: string;
}

/** An endpoint that stays, with changes. */
export class ChangedEndpoint extends ServiceEndpointView {
  /** The changed fields. */
  differences: FieldChange[];
}

/** A key that holds a removed or changed endpoint. */
export class AffectedKey {
  /** The id of the key.
   * @example 34 */
  id: number;

  /** The purpose of the key.
   * @example "Invoice reader" */
  name: string;

  /** The first characters of the secret, by which people recognise the key.
   * @example "lkm_3fK9" */
  hint: string;
}

/** The keys that hold a removed or changed endpoint. */
export class AffectedKeys {
  /** The total number of keys.
   * @example 1 */
  totalResultSize: number;

  /** The first hundred keys, by id. */
  data: AffectedKey[];
}

/** A grant of a key whose endpoint has another meaning than when it was granted. */
export class ChangedGrantView extends AffectedKey {
  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/partners/{partnerId}" */
  path: string;

  /** The changed fields: the scope, and the parameter that holds the Application id (empty for the whole account). */
  differences: FieldChange[];
}

/**
 * The grants whose endpoint has another meaning than when it was granted. They are refused until an admin confirms
 * them.
 */
export class ChangedGrantsView {
  /** Send this as `confirmChanges` to confirm exactly these changes; null if there are none.
   * @example "9f2d3c0e5b7a4f61c8d09e1b2a3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d" */
  digest: string | null;

  /** Whether this request confirms them.
   * @example false */
  confirmed: boolean;

  /** The total number of grants.
   * @example 1 */
  totalResultSize: number;

  /** The first thousand grants, by key. */
  data: ChangedGrantView[];

  /**
   * Operations of earlier documents that keys for other endpoints would open now. For example, `/users/me` matches
   * `/users/{id}` once the document no longer has it. These operations are refused until an admin confirms them with
   * the same digest.
   */
  takenOver: SkippedOperationView[];
}

/** What a registration changed, or would change. */
export class ServiceDifference {
  /** The name of the service in paths and grants.
   * @example "billing" */
  service: string;

  /** Whether this was a dry run that changed nothing.
   * @example false */
  dryRun: boolean;

  /** The number of endpoints of the service after the registration.
   * @example 12 */
  endpointCount: number;

  /** New endpoints. */
  added: ServiceEndpointView[];

  /** Removed endpoints. They are denied at once, also to keys that hold them. */
  removed: ServiceEndpointView[];

  /** Changed endpoints. */
  changed: ChangedEndpoint[];

  /** Operations of the document that keys cannot be granted. */
  skipped: SkippedOperationView[];

  /** The keys that hold a removed or changed endpoint. */
  affectedKeys: AffectedKeys;

  /** Grants whose endpoint has another meaning, because of this registration or an earlier one. */
  changedGrants: ChangedGrantsView;
}

/** A service in a list. */
export class ServiceSummary {
  /** The name of the service in paths and grants.
   * @example "billing" */
  service: string;

  /** When it was first registered.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When it was last changed.
   * @example "2026-11-23T12:00:00.000Z" */
  modified: string;

  /** The name that people see.
   * @example "Billing" */
  name: string;

  /** The purpose of the service.
   * @example "Invoices and payments" */
  description: string;

  /** The name of the path parameter that holds the Application id.
   * @example "applicationId" */
  applicationParameter: string;

  /** The number of endpoints that keys can be granted.
   * @example 12 */
  endpointCount: number;

  /** The number of operations that keys cannot be granted.
   * @example 1 */
  skippedCount: number;
}

/** A service with its endpoints. */
export class ServiceView extends ServiceSummary {
  /** The endpoints, by path and method. */
  endpoints: ServiceEndpointView[];

  /** Operations of its document that keys cannot be granted. */
  skipped: SkippedOperationView[];
}

/** One page of services. */
export class ServicePage {
  /** The total number of services.
   * @example 1 */
  totalResultSize: number;

  /** The services of this page. */
  data: ServiceSummary[];
}

/** The orders of the list. */
const SERVICE_SORTS = sortsOf('service', 'name', 'created', 'modified');

/** The query for the list of services. */
export class ServicesQuery extends PageQuery {
  /** The order of the list, with `-` in front for descending.
   * @example "service" */
  @IfPresent()
  @IsIn(SERVICE_SORTS)
  sort: (typeof SERVICE_SORTS)[number] = 'service';
}
