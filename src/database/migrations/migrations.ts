import type { MigrationInterface } from 'typeorm';
import { Initial1 } from './1-initial.js';
import { AuditActors2 } from './2-audit-actors.js';
import { GrantMeaning3 } from './3-grant-meaning.js';
import { UngrantablePatterns4 } from './4-ungrantable-patterns.js';

/** A migration. The database records its name when it has run. */
export type MigrationClass = new () => MigrationInterface & { name: string };

/**
 * All migrations, in the order in which they run. Never change or remove one that was released.
 *
 * Add columns with a plain `ALTER TABLE ... ADD COLUMN`, which both engines support. On SQLite, TypeORM's own
 * `addColumn` and similar methods recreate the table. SQLite then forgets the highest deleted ids and uses them again.
 * test/database/upgrade.test.ts checks that for Applications and keys.
 */
export const MIGRATIONS: readonly MigrationClass[] = [Initial1, AuditActors2, GrantMeaning3, UngrantablePatterns4];

/** The name that the database records when the last migration has run. */
export const NEWEST_MIGRATION = new (MIGRATIONS.at(-1)!)().name;
