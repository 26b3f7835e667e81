import { Initial1 } from './1-initial.js';

/** Every migration, in the order in which they run. */
export const MIGRATIONS = [Initial1];

/** The name under which the last of them is noted in the database once it has run. */
export const NEWEST_MIGRATION = new (MIGRATIONS.at(-1)!)().name;
