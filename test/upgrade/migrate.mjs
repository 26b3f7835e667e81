// Migrates the database of DATABASE_URL as the built service does when it starts, with one additional migration of a
// future version. It is its own process, so that several can run at once. With FAIL=1 the migration fails when it is
// almost complete.
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import '../../dist/app.module.js';
import { readConfig } from '../../dist/config/config.js';
import { migrate } from '../../dist/database/migrate.js';
import { MIGRATIONS } from '../../dist/database/migrations/migrations.js';
import { describeStartFailure } from '../../dist/server/start-failure.js';

class Later {
  name = 'Later9999999999999';

  // Like all migrations, it can run again after an interruption, because MySQL cannot roll back changes of tables.
  async up(runner) {
    for (const table of ['users', 'applications']) {
      if (!(await runner.hasColumn(table, 'nickname'))) {
        await runner.query(`ALTER TABLE ${table} ADD COLUMN nickname varchar(100)`);
      }
    }
    await runner.query('UPDATE users SET nickname = name');
    await runner.query('CREATE TABLE IF NOT EXISTS later_runs (process int NOT NULL)');
    // Slow, so that the other processes arrive while it runs.
    await sleep(1000);
    if (process.env.FAIL === '1') {
      await runner.query('INSERT INTO no_such_table VALUES (1)');
    }
    await runner.query(`INSERT INTO later_runs VALUES (${process.pid})`);
  }

  async down() {
    throw new Error('nothing goes back to here');
  }
}

try {
  await migrate(readConfig(process.env), [...MIGRATIONS, Later]);
} catch (error) {
  process.stderr.write(`${describeStartFailure(error)}\n`);
  process.exitCode = 1;
}
