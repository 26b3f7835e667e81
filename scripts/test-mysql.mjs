// Runs the end-to-end suite on the MySQL server of TEST_MYSQL_URL: `npm run test:mysql`. Fails without a server. Omits
// tests that do not depend on the database (test/suites.mjs).
import { spawnSync } from 'node:child_process';

if (!process.env.TEST_MYSQL_URL) {
  console.error('TEST_MYSQL_URL is not set: name a MySQL server on which databases may be made and dropped,');
  console.error('such as TEST_MYSQL_URL=$(scripts/mysql-server.mjs start) npm run test:mysql');
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--selectProjects=http',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { SUITES: 'everyday,races,scale,processes', ...process.env, DATABASE_ONLY: '1' } },
);
process.exit(status ?? 1);
