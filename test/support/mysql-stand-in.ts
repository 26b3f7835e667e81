import { once } from 'node:events';
import { connect } from 'node:net';
import mysql, { type Connection } from 'mysql2';
import { freePort } from '../verification/proxies.js';

/** Something that speaks MySQL's protocol as far as a start of the service gets with it. */
export interface MysqlStandIn {
  url: string;
  close(): void;
}

/** What the stand-in is like: the version that it says it is, or an error to everybody who signs in, or silence. */
export type Character = { version: string } | { refusing: { code: number; message: string } } | 'silent';

/** Starts a stand-in for a MySQL server that tests cannot have. */
export async function startMysqlStandIn(character: Character): Promise<MysqlStandIn> {
  const port = await freePort();
  const connections: Connection[] = [];
  const server = mysql.createServer((accepted) => {
    const connection = accepted as Connection;
    connections.push(connection);
    // Clients come and go as they like.
    connection.on('error', () => connection.destroy());
    connection.on('query', () => {
      if (character !== 'silent' && 'version' in character) {
        // mysql2 insists on the numbers of packets that it does not keep as a server.
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
      // Protocol 4.1, with a database, a plugin for passwords and transactions; without TLS.
      capabilityFlags: 0x0008_a209,
      authCallback: (_who: unknown, done: (error: null, refusal?: object) => void) => {
        done(null, character !== 'silent' && 'refusing' in character ? character.refusing : undefined);
        Object.assign(connection, { sequenceId: 0 });
      },
    });
  });
  server.listen(port);
  // Until somebody listens, whoever knocks is refused.
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
