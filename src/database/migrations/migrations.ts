import type { MigrationInterface } from 'typeorm';
import { Initial1 } from './1-initial.js';

/** A migration; the database notes it by its name once it has run. */
export type MigrationClass = new () => MigrationInterface & { name: string };

/** Every migration, in the order in which they run. Once released, one is never changed or taken out again. */
export const MIGRATIONS: readonly MigrationClass[] = [Initial1];

/** The name under which the last of them is noted in the database once it has run. */
export const NEWEST_MIGRATION = new (MIGRATIONS.at(-1)!)().name;
