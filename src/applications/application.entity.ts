import { Entity, Index } from 'typeorm';
import { Id, JsonColumn, LongTextColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** A tenant of the back office: campaigns belong to one, and keys may be limited to some. */
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

  /** The name folded: names are unique whatever their case. */
  @TextColumn('name_key', 400)
  nameKey: string;

  @LongTextColumn('description')
  description: string;

  /** IANA name. */
  @TextColumn('timezone', 64)
  timezone: string;

  /** ISO 4217. */
  @TextColumn('currency', 3)
  currency: string;

  @JsonColumn('attributes')
  attributes: object;
}
