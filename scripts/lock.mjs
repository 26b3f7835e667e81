// Run it after each `npm install` that changed package-lock.json: `node scripts/lock.mjs`.
//
// better-sqlite3 13 contains its binaries and declares that with `gypfile: false`. npm omits this field from lock files.
// `npm ci` would then call node-gyp, which needs Python, make and a download, and compiles nothing. If node-gyp fails,
// npm silently drops the package, because it is optional. This script writes the field back, and npm respects it there.
// test/packaging/package.test.ts fails while it is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCK = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const PACKAGE = 'node_modules/better-sqlite3-13';

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
lock.packages[PACKAGE].gypfile = false;
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
