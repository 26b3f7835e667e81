import { Entity, Index } from 'typeorm';
import { Id, JsonColumn, LongTextColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** A tenant of the back office. Each campaign belongs to one Application, and a key may be limited to some. */
@Entity('applications')
@Index('uq_applications_name_key', ['nameKey'], { unique: true })
export class Application {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  @TimeColumn('modified')
  modified: number;

  @TextColumn('name', 100)
  name: string;

  /** The folded name, because names are unique ignoring case. */
  @TextColumn('name_key', 400)
  nameKey: string;

  @LongTextColumn('description')
  description: string;

  /** The IANA name. */
  @TextColumn('timezone', 64)
  timezone: string;

  /** The ISO 4217 code. */
  @TextColumn('currency', 3)
  currency: string;

  @JsonColumn('attributes')
  attributes: object;
}
