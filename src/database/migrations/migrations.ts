import type { MigrationInterface } from 'typeorm';
import { Initial1 } from './1-initial.js';
import { AuditActors2 } from './2-audit-actors.js';
import { GrantMeaning3 } from './3-grant-meaning.js';

/** A migration; the database notes it by its name once it has run. */
export type MigrationClass = new () => MigrationInterface & { name: string };

/**
 * Every migration, in the order in which they run. Once released, one is never changed or taken out again.
 *
 * Columns are added with a plain `ALTER TABLE ... ADD COLUMN`, which both engines know. On SQLite, TypeORM's own `addColumn`
 * and its like make the table anew, which forgets the highest ids that were deleted: they would be given out again.
 * test/database/upgrade.test.ts notices that for Applications and keys.
 */
export const MIGRATIONS: readonly MigrationClass[] = [Initial1, AuditActors2, GrantMeaning3];

/** The name under which the last of them is noted in the database once it has run. */
export const NEWEST_MIGRATION = new (MIGRATIONS.at(-1)!)().name;
