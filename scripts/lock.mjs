// Run it after each `npm install` that changed package-lock.json: `node scripts/lock.mjs`.
//
// better-sqlite3 13 has its binaries inside the package and says so with `gypfile: false`. npm leaves that out of lock
// files, and `npm ci` would call node-gyp, which needs Python, make and a download, and compiles nothing. Where that
// fails, npm drops the package without a word, because it is optional. This script writes the field back, and npm heeds
// it there. test/package.test.ts fails while it is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCK = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const PACKAGE = 'node_modules/better-sqlite3-13';

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
lock.packages[PACKAGE].gypfile = false;
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
