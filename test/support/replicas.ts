import { Client } from './client.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from './harness.js';
import { type ServerProcess, startServer } from './process.js';

/** The password of users that tests create. */
export const PASSWORD = 'violet harbour seventeen lamps';

let made = 0;

/** A user that a test created. */
export interface MadeUser {
  id: number;
  email: string;
}

/** Processes of the built product on one database. They share nothing else. */
export class Replicas {
  private constructor(
    readonly database: TestDatabase,
    readonly servers: readonly ServerProcess[],
    private readonly keeperToken: string,
  ) {}

  /** Starts the replicas. */
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
