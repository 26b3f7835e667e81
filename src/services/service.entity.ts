import { Entity, ForeignKey, Index } from 'typeorm';
import {
  FlagColumn,
  Id,
  IdColumn,
  IntColumn,
  JsonColumn,
  LongTextColumn,
  TextColumn,
  TimeColumn,
} from '../database/columns.js';
import type { SkippedOperation } from './documents/openapi-document.js';

/** Another service, whose endpoints keys can be granted. */
@Entity('services')
@Index('uq_services_service', ['service'], { unique: true })
export class Service {
  @Id()
  id: number;

  /** The name in paths, such as `billing`. */
  @TextColumn('service', 42)
  service: string;

  @TimeColumn('created')
  created: number;

  @TimeColumn('modified')
  modified: number;

  @TextColumn('name', 100)
  name: string;

  @LongTextColumn('description')
  description: string;

  /** Name of the path parameter that holds the Application id. */
  @TextColumn('application_parameter', 100)
  applicationParameter: string;

  /** The ungrantable operations of its document, each with the reason. */
  @JsonColumn('skipped')
  skipped: SkippedOperation[];
}

/** One endpoint of another service. */
@Entity('service_endpoints')
@Index('uq_service_endpoints_shape', ['serviceId', 'method', 'shape'], { unique: true })
export class ServiceEndpoint {
  @Id()
  id: number;

  @IdColumn('service_id')
  @ForeignKey('Service', { name: 'fk_service_endpoints_service', onDelete: 'CASCADE', onUpdate: 'NO ACTION' })
  serviceId: number;

  @TextColumn('method', 16)
  method: string;

  @TextColumn('path', 512)
  path: string;

  /** The path without the names of its parameters. Two paths with the same shape are one endpoint. */
  @TextColumn('shape', 512)
  shape: string;

  @FlagColumn('application_scoped')
  applicationScoped: boolean;

  @LongTextColumn('summary')
  summary: string;

  @TextColumn('tag', 255)
  tag: string;

  @FlagColumn('deprecated')
  deprecated: boolean;
}

/**
 * The single row with the revision, which grows with every change of any service, so that a process knows when its copy
 * is outdated.
 */
@Entity('catalogue_revision')
export class CatalogueRevision {
  @Id()
  id: number;

  @IntColumn('revision')
  revision: number;
}
