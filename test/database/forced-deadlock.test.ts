import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import type { Client } from '../support/client.js';
import { type CouponPlace, createPlace } from '../backoffice/coupon-fixtures.js';
import { createAdmin } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const onMysql = process.env.TEST_MYSQL_URL ? describe : describe.skip;

onMysql('a write that a deadlock undoes', () => {
  let latchkey: Latchkey;
  let other: Connection;
  let watcher: Connection;
  let place: CouponPlace;
  let couponId: number;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    other = await mysql.createConnection(latchkey.database.url);
    watcher = await mysql.createConnection(latchkey.database.url);
    place = await createPlace(latchkey.admin);
    const made = await latchkey.admin.post<{ data: { id: number }[] }>(`${place.path}/coupons`, {
      usageLimit: 1,
      numberOfCoupons: 1,
    });
    couponId = made.body.data[0]!.id;
  });
  afterAll(async () => {
    await other.end();
    await watcher.end();
    await latchkey.close();
  });

  /** Waits until a transaction of the service waits for a lock on users. */
  async function untilItWaits(): Promise<void> {
    for (;;) {
      const [rows] = await watcher.query<RowDataPacket[]>(
        `SELECT 1 FROM performance_schema.data_locks
         WHERE object_schema = DATABASE() AND object_name = 'users' AND lock_status = 'WAITING'`,
      );
      if (rows.length > 0) {
        return;
      }
    }
  }

  /**
   * Creates a deadlock. A transaction locks the user's row and then waits for the coupon's row, which the write has
   * locked. The write waits for the user's row. The transaction has written more, so MySQL rolls back the write.
   */
  async function deadlock(
    userId: number,
    client: Client,
    usageLimit: number,
    more: string[],
  ): Promise<{ status: number; code: unknown }> {
    await other.beginTransaction();
    await other.query('SELECT id FROM users WHERE id = ? FOR UPDATE', [userId]);
    const rows = Array.from({ length: 500 }, (_, number) => [`deadlock-${usageLimit}-${number}`, 1, 1]);
    await other.query('INSERT INTO sign_in_attempts (counter, amount, expires) VALUES ?', [rows]);
    for (const sql of more) {
      await other.query(sql);
    }
    const writing = client.put<{ code?: string }>(`${place.path}/coupons/${couponId}`, { usageLimit });
    await untilItWaits();
    await other.query('UPDATE coupons SET batch_id = batch_id WHERE id = ?', [couponId]);
    await other.query('SELECT id FROM coupons WHERE id = ? FOR UPDATE', [couponId]);
    await other.commit();
    const { status, body } = await writing;
    return { status, code: body.code };
  }

  async function effects(): Promise<{ usageLimit: number; entries: number }> {
    const [[coupon]] = await watcher.query<RowDataPacket[]>(
      'SELECT usage_limit AS usageLimit FROM coupons WHERE id = ?',
      [couponId],
    );
    const [[changes]] = await watcher.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS entries FROM changes WHERE entity LIKE 'PUT %/coupons/%'",
    );
    return { usageLimit: coupon!.usageLimit as number, entries: Number(changes!.entries) };
  }

  async function deadlocks(): Promise<number> {
    const [[row]] = await watcher.query<RowDataPacket[]>(
      "SELECT count AS deadlocks FROM information_schema.INNODB_METRICS WHERE name = 'lock_deadlocks'",
    );
    return Number(row!.deadlocks);
  }

  test('is repeated and takes effect once', async () => {
    const { id, client } = await createAdmin(latchkey);
    const before = { ...(await effects()), deadlocks: await deadlocks() };
    expect(await deadlock(id, client, 7, [])).toEqual({ status: 200, code: undefined });
    expect(await deadlocks()).toBeGreaterThan(before.deadlocks);
    expect(await effects()).toEqual({ usageLimit: 7, entries: before.entries + 1 });
  });

  test('checks its authority again when it is repeated, and is refused after an end of authority', async () => {
    const { id, client } = await createAdmin(latchkey);
    const before = { ...(await effects()), deadlocks: await deadlocks() };
    const ending = `UPDATE users SET state = 'deactivated', credentials_version = credentials_version + 1 WHERE id = ${id}`;
    expect(await deadlock(id, client, 9, [ending])).toEqual({ status: 401, code: 'unknown' });
    expect(await deadlocks()).toBeGreaterThan(before.deadlocks);
    expect(await effects()).toEqual({ usageLimit: before.usageLimit, entries: before.entries });
  });
});
