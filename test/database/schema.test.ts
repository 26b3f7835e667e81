import 'reflect-metadata';
import type { DataSource } from 'typeorm';
import '../../src/app.module.js';
import { readConfig } from '../../src/config/config.js';
import { connect, migratingOptions } from '../../src/database/data-source.js';
import { MIGRATIONS } from '../../src/database/migrations/migrations.js';
import { migrate } from '../../src/database/migrate.js';
import { createDatabase, type TestDatabase } from '../support/harness.js';

describe('the schema', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createDatabase();
    const config = readConfig({ DATABASE_URL: database.url });
    // Several processes start at once on an empty database.
    await Promise.all([migrate(config), migrate(config), migrate(config)]);
    dataSource = await connect(migratingOptions(config, MIGRATIONS));
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  test('matches the entities exactly', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  test('compares text exactly, including case, accents and trailing spaces', async () => {
    const insert = 'INSERT INTO sign_in_attempts (counter, amount, expires) VALUES (?, 1, 1)';
    const codes = ['abc', 'ABC', 'abc ', 'ábc', 'äbc', 'abç'];
    for (const code of codes) {
      await dataSource.query(insert, [code]);
    }
    for (const code of codes) {
      const rows: unknown[] = await dataSource.query('SELECT counter FROM sign_in_attempts WHERE counter = ?', [code]);
      expect(rows).toEqual([{ counter: code }]);
    }
    const like: unknown[] = await dataSource.query(
      "SELECT counter FROM sign_in_attempts WHERE counter LIKE 'ab%' ESCAPE '!'",
    );
    expect(like).toHaveLength(3);
  });

  test('never assigns an id twice', async () => {
    const insert = 'INSERT INTO catalogue_revision (revision) VALUES (1)';
    await dataSource.query(insert);
    const [before] = (await dataSource.query('SELECT MAX(id) AS id FROM catalogue_revision')) as { id: number }[];
    await dataSource.query('DELETE FROM catalogue_revision WHERE id = ?', [before!.id]);
    await dataSource.query(insert);
    const [after] = (await dataSource.query('SELECT MAX(id) AS id FROM catalogue_revision')) as { id: number }[];
    expect(after!.id).toBeGreaterThan(before!.id);
    await dataSource.query('DELETE FROM catalogue_revision WHERE id > 1');
  });

  test('can be migrated down, up, and up again from a partial state', async () => {
    await dataSource.undoLastMigration({ transaction: 'none' });
    await dataSource.runMigrations({ transaction: 'none' });
    // A process that was killed midway has created tables, but has not recorded the migration.
    await dataSource.query('DROP TABLE changes');
    await dataSource.query('DELETE FROM migrations');
    await dataSource.runMigrations({ transaction: 'none' });
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });
});
