import { Client } from './client.js';
import {
  ADMIN_EMAIL,
  ADMIN_PASSWORD,
  createDatabase,
  type Latchkey,
  startLatchkey,
  TestClock,
  type TestDatabase,
} from './harness.js';
import { type ServerProcess, startServer } from './process.js';
import { readWithoutThread } from './without-thread.js';

/** The password of users that tests create. */
export const PASSWORD = 'violet harbour seventeen lamps';

let made = 0;

/** A user that a test created. */
export interface MadeUser {
  id: number;
  email: string;
}

/** What tests need of a replica that may be a process or run in this one. */
export type Replica = Pick<ServerProcess, 'url'> & { stop(): Promise<unknown> };

/** Shows the time of the machine, as processes do. */
class MachineClock extends TestClock {
  override now(): number {
    return Date.now();
  }
}

/** Replicas of the built product on one database. They share nothing else. */
export class Replicas<R extends Replica = ServerProcess> {
  private constructor(
    readonly database: TestDatabase,
    readonly servers: readonly R[],
    private readonly keeperToken: string,
  ) {}

  /** Starts replicas as processes. */
  static async start(
    count: number,
    environment: Record<string, string> = {},
    database?: TestDatabase,
  ): Promise<Replicas> {
    const shared = database ?? (await createDatabase());
    const servers: ServerProcess[] = [];
    for (let index = 0; index < count; index += 1) {
      servers.push(await startServer({ DATABASE_URL: shared.url, ...environment }));
    }
    const anonymous = new Client(servers[0]!.url, undefined, new Set());
    const { status, body } = await anonymous.post<{ token: string }>('/v1/sessions', {
      email: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
    });
    if (status !== 201) {
      throw new Error(`the first admin cannot sign in: ${JSON.stringify(body)}`);
    }
    return new Replicas(shared, servers, body.token);
  }

  /** Starts replicas in this process, which is much faster. They read documents without a thread. */
  static async startInProcess(count: number, environment: Record<string, string> = {}): Promise<Replicas<Replica>> {
    const original = { database: await createDatabase(), clock: new MachineClock() };
    const instances: Latchkey[] = [];
    while (instances.length < count) {
      const instance = await startLatchkey(environment, { original });
      readWithoutThread(instance);
      instances.push(instance);
    }
    const servers = instances.map(({ url, close }) => ({ url, stop: close }));
    return new Replicas(original.database, servers, instances[0]!.admin.authorization!.replace('Bearer ', ''));
  }

  /** Returns a client of a replica with an `Authorization` header. */
  as(authorization: string | undefined, replica = 0): Client {
    return new Client(this.servers[replica]!.url, authorization, new Set());
  }

  /** Returns a client of a replica as the first admin, whose authority no test ends. */
  keeper(replica = 0): Client {
    return this.as(`Bearer ${this.keeperToken}`, replica);
  }

  /** Creates a user who can sign in with `PASSWORD`. */
  async createUser({ isAdmin }: { isAdmin: boolean }): Promise<MadeUser> {
    const name = `${process.pid}-${(made += 1)}`;
    const email = `${name}@replicas.example`;
    const user = { name, email, password: PASSWORD, isAdmin };
    const answer = await this.keeper().post<{ id: number }>('/v1/users', user);
    if (answer.status !== 201) {
      throw new Error(`no user: ${JSON.stringify(answer.body)}`);
    }
    return { id: answer.body.id, email };
  }

  /** Signs a user in, and returns the value for `Authorization`. */
  async signIn(email: string, password = PASSWORD, replica = 0): Promise<string> {
    const { status, body } = await this.as(undefined, replica).post<{ token: string }>('/v1/sessions', {
      email,
      password,
    });
    if (status !== 201) {
      throw new Error(`${email} cannot sign in: ${JSON.stringify(body)}`);
    }
    return `Bearer ${body.token}`;
  }

  /** Stops the replicas and drops the database. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.database.drop();
  }
}
