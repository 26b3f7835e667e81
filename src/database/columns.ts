import { Column, PrimaryGeneratedColumn, type ValueTransformer } from 'typeorm';
import { wholeNumber } from './times.js';

interface Nullable {
  nullable?: boolean;
}

interface WithDefault<Value> extends Nullable {
  /** The value of rows that are older than the column. */
  default?: Value;
}

/** A positive integer that is never used again. */
export const Id = (): PropertyDecorator => PrimaryGeneratedColumn({ type: 'int' });

/** The id of another row. */
export const IdColumn = (name: string, { nullable = false }: Nullable = {}): PropertyDecorator =>
  Column({ name, type: 'int', nullable });

/** Text with a maximum length, compared exactly, including trailing spaces. */
export const TextColumn = (
  name: string,
  length: number,
  { nullable = false, ...rest }: WithDefault<string> = {},
): PropertyDecorator => Column({ name, type: 'varchar', length, nullable, ...rest });

/** Text of up to 16 MB. */
export const LongTextColumn = (name: string, { nullable = false }: Nullable = {}): PropertyDecorator =>
  Column({ name, type: 'mediumtext', nullable });

/** A time, in milliseconds since the epoch. */
export const TimeColumn = (name: string, { nullable = false }: Nullable = {}): PropertyDecorator =>
  Column({ name, type: 'bigint', nullable, transformer: wholeNumber });

/** A count that may grow beyond 32 bits. */
export const CountColumn = (name: string, { nullable = false }: Nullable = {}): PropertyDecorator =>
  Column({ name, type: 'bigint', nullable, transformer: wholeNumber });

/** A whole number of 32 bits. */
export const IntColumn = (name: string, { nullable = false, ...rest }: WithDefault<number> = {}): PropertyDecorator =>
  Column({ name, type: 'int', nullable, ...rest });

/** A floating-point number. The value that is read is exactly the one that was written. */
export const NumberColumn = (name: string, { nullable = false }: Nullable = {}): PropertyDecorator =>
  Column({ name, type: 'double', nullable });

/** A boolean. */
export const FlagColumn = (name: string): PropertyDecorator => Column({ name, type: 'boolean' });

const json: ValueTransformer = {
  to: (value: unknown) => (value === null || value === undefined ? value : JSON.stringify(value)),
  from: (value: string | null) => (value === null ? null : (JSON.parse(value) as unknown)),
};

/** A JSON value, stored as text, so that neither engine reorders or rounds it. */
export const JsonColumn = (name: string, { nullable = false }: Nullable = {}): PropertyDecorator =>
  Column({ name, type: 'mediumtext', nullable, transformer: json });
