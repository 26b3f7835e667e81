import {
  type ColumnType,
  type QueryRunner,
  Table,
  type TableColumnOptions,
  type TableForeignKeyOptions,
  type TableIndexOptions,
} from 'typeorm';

interface Nullable {
  nullable?: boolean;
}

export const id = (): TableColumnOptions => ({
  name: 'id',
  type: 'int',
  isPrimary: true,
  isGenerated: true,
  generationStrategy: 'increment',
});
export const primaryInt = (name: string): TableColumnOptions => ({ name, type: 'int', isPrimary: true });
export const primaryText = (name: string, length: number): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: String(length),
  isPrimary: true,
});
export const int = (name: string, { nullable = false }: Nullable = {}): TableColumnOptions => ({
  name,
  type: 'int',
  isNullable: nullable,
});
export const bigint = (name: string, { nullable = false }: Nullable = {}): TableColumnOptions => ({
  name,
  type: 'bigint',
  isNullable: nullable,
});
export const double = (name: string, { nullable = false }: Nullable = {}): TableColumnOptions => ({
  name,
  type: 'double',
  isNullable: nullable,
});
export const flag = (name: string): TableColumnOptions => ({ name, type: 'boolean' });
export const text = (name: string, length: number, { nullable = false }: Nullable = {}): TableColumnOptions => ({
  name,
  type: 'varchar',
  length: String(length),
  isNullable: nullable,
});
export const longText = (name: string, { nullable = false }: Nullable = {}): TableColumnOptions => ({
  name,
  type: 'mediumtext',
  isNullable: nullable,
});

export const unique = (name: string, ...columnNames: string[]): TableIndexOptions => ({
  name,
  columnNames,
  isUnique: true,
});
export const index = (name: string, ...columnNames: string[]): TableIndexOptions => ({ name, columnNames });
export const references = (
  name: string,
  column: string,
  table: string,
  onDelete: 'CASCADE' | 'NO ACTION',
): TableForeignKeyOptions => ({
  name,
  columnNames: [column],
  referencedTableName: table,
  referencedColumnNames: ['id'],
  onDelete,
  onUpdate: 'NO ACTION',
});

/**
 * Creates a table unless it exists: MySQL's DDL is not transactional, and a migration that was killed runs again. Text
 * compares exactly on both engines. SQLite does so by default, MySQL with a binary, no-pad collation.
 */
export async function createTable(
  runner: QueryRunner,
  name: string,
  engineNeutralColumns: TableColumnOptions[],
  { indices = [], foreignKeys = [] }: { indices?: TableIndexOptions[]; foreignKeys?: TableForeignKeyOptions[] } = {},
): Promise<void> {
  const { driver } = runner.dataSource;
  const columns = engineNeutralColumns.map((column) => ({
    ...column,
    type: driver.normalizeType({ type: column.type as ColumnType }),
  }));
  const engine = 'InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin';
  await runner.createTable(new Table({ name, columns, indices, foreignKeys, engine }), true, true, true);
}

/**
 * Adds a column unless it exists, because a migration that was killed on MySQL runs again. Both engines must support
 * the definition.
 */
export async function addColumn(runner: QueryRunner, table: string, column: string, definition: string): Promise<void> {
  if (!(await runner.hasColumn(table, column))) {
    await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
  }
}

/** Drops a column unless it is already gone. */
export async function dropColumn(runner: QueryRunner, table: string, column: string): Promise<void> {
  if (await runner.hasColumn(table, column)) {
    await runner.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  }
}
