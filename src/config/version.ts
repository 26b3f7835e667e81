import { createRequire } from 'node:module';

/** The version of this program. `package.json` is the only place that states it. */
export const VERSION = (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
