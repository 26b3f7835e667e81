import { Initial1 } from './1-initial.js';

/** Every migration, in the order in which they run. */
export const MIGRATIONS = [Initial1];
