import { Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { FlagColumn, Id, IdColumn, IntColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** A key, without its secret: only a hash of the secret is stored. */
@Entity('api_keys')
@Index('uq_api_keys_key_hash', ['keyHash'], { unique: true })
@Index('ix_api_keys_created_by', ['createdBy'])
export class ApiKey {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  @IdColumn('created_by')
  @ForeignKey('User', { name: 'fk_api_keys_created_by', onDelete: 'NO ACTION', onUpdate: 'NO ACTION' })
  createdBy: number;

  @TextColumn('name', 100)
  name: string;

  @TextColumn('name_key', 400)
  nameKey: string;

  /** SHA-256 of the whole secret, in hexadecimal. */
  @TextColumn('key_hash', 64)
  keyHash: string;

  /** The first characters of the secret, by which people recognise the key. */
  @TextColumn('hint', 16)
  hint: string;

  /** The first millisecond at which the key no longer works. */
  @TimeColumn('expiry_date')
  expiryDate: number;

  /**
   * Whether the key was created without a list of Applications, so that all are allowed. Never derived from an empty
   * list, because absence is not permission.
   */
  @FlagColumn('all_applications')
  allApplications: boolean;
}

/** One Application that a key is limited to. Deleting the Application deletes this row, and never widens the key. */
@Entity('api_key_applications')
@Index('ix_api_key_applications_application_id', ['applicationId'])
export class ApiKeyApplication {
  @PrimaryColumn({ name: 'api_key_id', type: 'int' })
  @ForeignKey('ApiKey', { name: 'fk_api_key_applications_api_key', onDelete: 'CASCADE', onUpdate: 'NO ACTION' })
  apiKeyId: number;

  @PrimaryColumn({ name: 'application_id', type: 'int' })
  @ForeignKey('Application', {
    name: 'fk_api_key_applications_application',
    onDelete: 'CASCADE',
    onUpdate: 'NO ACTION',
  })
  applicationId: number;
}

/**
 * One endpoint that a key was granted. It opens only the endpoint that was granted. If the endpoint gets another
 * meaning, the grant does not change, and opens nothing until an admin confirms the new meaning.
 */
@Entity('api_key_endpoints')
@Index('ix_api_key_endpoints_endpoint', ['service', 'method', 'path'])
export class ApiKeyEndpoint {
  @PrimaryColumn({ name: 'api_key_id', type: 'int' })
  @ForeignKey('ApiKey', { name: 'fk_api_key_endpoints_api_key', onDelete: 'CASCADE', onUpdate: 'NO ACTION' })
  apiKeyId: number;

  /** The position in the admin's list, from 0. */
  @PrimaryColumn({ name: 'position', type: 'int' })
  position: number;

  @TextColumn('service', 42)
  service: string;

  @TextColumn('method', 16)
  method: string;

  @TextColumn('path', 512)
  path: string;

  /** The id of the service; 0 for Latchkey itself. A service that is deleted and registered again has a new id. */
  @IntColumn('service_id', { default: 0 })
  serviceId: number;

  /** The path parameter that held the Application id when this was granted or confirmed; empty if there was none. */
  @TextColumn('application_parameter', 100, { default: '' })
  applicationParameter: string;
}
