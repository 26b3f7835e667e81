// Prepares the MySQL server of the bench: sets what an operator would set, and waits until it is idle.
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';

/** A million keys do not fit into MySQL's default buffer pool of 128 MB. A production server would get more. */
export const BUFFER_POOL_BYTES = 2 ** 30;

/** Returns the address of the server, without a database. */
export function mysqlServer() {
  if (!process.env.TEST_MYSQL_URL) {
    throw new Error('TEST_MYSQL_URL must name a MySQL server, such as mysql://root@127.0.0.1:3306/latchkey');
  }
  const url = new URL(process.env.TEST_MYSQL_URL);
  url.pathname = '/';
  return url;
}

/** Runs work while the server has a buffer pool of at least BUFFER_POOL_BYTES, and then restores the old size. */
export async function withBufferPool(work) {
  const connection = await mysql.createConnection(mysqlServer().href);
  const [[{ bytes }]] = await connection.query('SELECT @@GLOBAL.innodb_buffer_pool_size AS bytes');
  const resize = async (to) => {
    await connection.query('SET GLOBAL innodb_buffer_pool_size = ?', [to]);
    await until(async () => (await statusOf(connection, 'Innodb_buffer_pool_resize_status_code')) === 0);
  };
  if (bytes < BUFFER_POOL_BYTES) {
    await resize(BUFFER_POOL_BYTES);
  }
  try {
    return await work();
  } finally {
    if (bytes < BUFFER_POOL_BYTES) {
      await resize(bytes);
    }
    await connection.end();
  }
}

/** Waits until all inserted rows are on the disk, because writing them would slow down the measurement. */
export async function comeToRest(connection) {
  const [[{ percent }]] = await connection.query('SELECT @@GLOBAL.innodb_max_dirty_pages_pct AS percent');
  await connection.query('SET GLOBAL innodb_max_dirty_pages_pct = 0');
  await until(async () => (await statusOf(connection, 'Innodb_buffer_pool_pages_dirty')) < 100);
  await connection.query('SET GLOBAL innodb_max_dirty_pages_pct = ?', [percent]);
}

async function statusOf(connection, name) {
  const [[row]] = await connection.query('SHOW GLOBAL STATUS LIKE ?', [name]);
  return Number(row.Value);
}

async function until(isSo) {
  const deadline = Date.now() + 120_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) {
      throw new Error('the MySQL server does not come to rest');
    }
    await sleep(200);
  }
}
