import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { DecisionReader, Sending } from '../../src/database/reading/decision-reader.js';
import { User } from '../../src/users/user.entity.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const WRITES = [
  "UPDATE users SET name = 'written'",
  'DELETE FROM users',
  'CREATE TABLE written (id INT)',
  'TRUNCATE TABLE users',
];

/** Tests that reads outside transactions cannot write, on either engine. */
describe('a read outside transactions', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });

  afterAll(() => latchkey?.close());

  const names = async () => (await latchkey.get(DataSource).getRepository(User).find()).map(({ name }) => name);

  test('cannot write through any method of a repository', async () => {
    const before = await names();
    const users = latchkey.get(DataSource).getRepository(User);
    const [user] = await users.find();
    await expect(users.update({ id: user!.id }, { name: 'written' })).rejects.toThrow();
    await expect(users.delete({ id: user!.id })).rejects.toThrow();
    await expect(users.save({ ...user!, name: 'written' })).rejects.toThrow();
    await expect(users.createQueryBuilder().update().set({ name: 'written' }).execute()).rejects.toThrow();
    await expect(users.manager.transaction((tx) => tx.delete(User, { id: user!.id }))).rejects.toThrow();
    expect(await names()).toEqual(before);
  });

  test.each(WRITES)('cannot run %s', async (sql) => {
    const before = await names();
    await expect(latchkey.get(DataSource).getRepository(User).query(sql)).rejects.toThrow();
    await expect(latchkey.get(DecisionReader).read(() => new Sending({ mysql: sql, sqlite: sql }))).rejects.toThrow();
    expect(await names()).toEqual(before);
  });

  test('does not prevent later writes in transactions', async () => {
    const name = 'Web shop';
    expect(await latchkey.admin.post('/v1/applications', { name, currency: 'EUR', timezone: 'UTC' })).toMatchObject({
      status: 201,
      body: { name },
    });
  });
});
