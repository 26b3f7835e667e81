import { once } from 'node:events';
import { connect } from 'node:net';
import mysql, { type Connection } from 'mysql2';
import { freePort } from '../verification/proxies.js';

/** A server that speaks as much of MySQL's protocol as a start of the service needs. */
export interface MysqlStandIn {
  url: string;
  close(): void;
}

/** How the stand-in behaves: it reports a version, refuses every sign-in with an error, or stays silent. */
export type Character = { version: string } | { refusing: { code: number; message: string } } | 'silent';

/** Starts a stand-in for a MySQL server that tests cannot run. */
export async function startMysqlStandIn(character: Character): Promise<MysqlStandIn> {
  const port = await freePort();
  const connections: Connection[] = [];
  const server = mysql.createServer((accepted) => {
    const connection = accepted as Connection;
    connections.push(connection);
    // Clients may disconnect at any time.
    connection.on('error', () => connection.destroy());
    connection.on('query', () => {
      if (character !== 'silent' && 'version' in character) {
        // mysql2 checks packet numbers, but does not maintain them as a server.
        Object.assign(connection, { sequenceId: 1 });
        connection.writeTextResult([{ version: character.version }], [column('version')]);
        Object.assign(connection, { sequenceId: 0 });
      }
    });
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: character !== 'silent' && 'version' in character ? character.version : '9.1.0',
      connectionId: connections.length,
      statusFlags: 2,
      characterSet: 45,
      // Protocol 4.1 with a database, a password plugin and transactions, without TLS.
      capabilityFlags: 0x0008_a209,
      authCallback: (_who: unknown, done: (error: null, refusal?: object) => void) => {
        done(null, character !== 'silent' && 'refusing' in character ? character.refusing : undefined);
        Object.assign(connection, { sequenceId: 0 });
      },
    });
  });
  server.listen(port);
  // Connections are refused until the server listens.
  await once(connect(port, '127.0.0.1'), 'connect').then(() => connections.pop()?.destroy());
  return {
    url: `mysql://latchkey:${encodeURIComponent('s3cr3t of the database')}@127.0.0.1:${port}/latchkey`,
    close: () => {
      connections.forEach((connection) => connection.destroy());
      server.close(() => undefined);
    },
  };
}

function column(name: string): object {
  return {
    catalog: 'def',
    schema: '',
    table: '',
    orgTable: '',
    name,
    orgName: '',
    characterSet: 45,
    columnLength: 255,
    columnType: 253,
    flags: 0,
    decimals: 0,
  };
}
