import { Entity, Index, PrimaryColumn } from 'typeorm';
import { CountColumn, IdColumn, IntColumn, TextColumn, TimeColumn } from '../../database/columns.js';

/**
 * The number of decisions about a key for one endpoint and Application, on one day, with one outcome. It has no foreign
 * key. A counter that is written just after its key was deleted must not make the write of other counters fail.
 */
@Entity('api_key_usage')
@Index('ix_api_key_usage_last_used', ['apiKeyId', 'outcome', 'lastUsed'])
export class ApiKeyUsage {
  @PrimaryColumn({ name: 'api_key_id', type: 'int' })
  apiKeyId: number;

  /** SHA-256 of the fields that identify the counter, in hexadecimal: a short name for the row. */
  @PrimaryColumn({ name: 'counter', type: 'varchar', length: 64 })
  counter: string;

  /** Days since 1970-01-01 in UTC. */
  @IntColumn('day')
  day: number;

  @TextColumn('service', 42)
  service: string;

  @TextColumn('method', 16)
  method: string;

  @TextColumn('path', 512)
  path: string;

  @IdColumn('application_id', { nullable: true })
  applicationId: number | null;

  /** `allowed`, or the code of the refusal. */
  @TextColumn('outcome', 40)
  outcome: string;

  @CountColumn('amount')
  amount: number;

  @TimeColumn('last_used')
  lastUsed: number;
}
