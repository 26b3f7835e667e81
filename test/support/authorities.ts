import type { Answer } from './client.js';
import { createCampaign, generateCoupons } from '../backoffice/coupon-fixtures.js';
import { createApplication, createKey } from './fixtures.js';
import { runToEnd } from './process.js';
import { type MadeUser, PASSWORD, type Replica, type Replicas } from './replicas.js';
import { runSql } from './sql.js';

/** A credential, and what its authority depends on. */
export interface Authority {
  /** The value of the `Authorization` header. */
  authorization: string;
  /** The user of the session, or the owner of the key. */
  owner: MadeUser;
  /** Only set for a key. */
  keyId?: number;
  /** The Applications of a limited key. They are empty, so that they can be deleted. */
  applicationIds: number[];
}

/** The `x-access` of an operation. */
export interface DeclaredAccess {
  kind: string;
  session?: string;
  scope?: string;
}

/** A way in which an authority ends. */
export interface Ending {
  name: string;
  kind: 'session' | 'key';
  /** How many Applications the key is limited to. If absent, it may use all of them. */
  applications?: number;
  /** Returns whether the ending affects an endpoint with this access. If absent, it affects every endpoint. */
  concerns?: (access: DeclaredAccess) => boolean;
  /** Ends the authority on the last replica. Resolves when the response has arrived. */
  end(replicas: Replicas<Replica>, authority: Authority): Promise<void>;
}

/** Times in the past are this far back, because the clock of a virtual machine may step back a few milliseconds. */
const A_MINUTE_MS = 60_000;

const needsAdmin = ({ kind, session }: DeclaredAccess): boolean => kind !== 'key' || session === 'admin';
const ofApplication = ({ scope }: DeclaredAccess): boolean => scope === 'application';

/** All ways to end an authority at Latchkey's own endpoints. */
export const ENDINGS: readonly Ending[] = [
  {
    name: 'a session whose user was deactivated',
    kind: 'session',
    end: (replicas, { owner }) => done(last(replicas).put(`/v1/users/${owner.id}`, { state: 'deactivated' })),
  },
  {
    name: 'a session whose user was deleted',
    kind: 'session',
    end: (replicas, { owner }) => done(last(replicas).delete(`/v1/users/${owner.id}`)),
  },
  {
    name: 'a session whose user was demoted',
    kind: 'session',
    concerns: needsAdmin,
    end: (replicas, { owner }) => done(last(replicas).put(`/v1/users/${owner.id}`, { isAdmin: false })),
  },
  {
    name: 'a session that was signed out',
    kind: 'session',
    end: (replicas, { authorization }) => done(lastAs(replicas, authorization).delete('/v1/sessions')),
  },
  {
    name: 'a session whose user signed out everywhere',
    kind: 'session',
    end: async (replicas, { owner }) =>
      done(lastAs(replicas, await replicas.signIn(owner.email)).delete('/v1/sessions?all=true')),
  },
  {
    name: 'a session whose user changed their password elsewhere',
    kind: 'session',
    end: async (replicas, { owner }) =>
      done(
        lastAs(replicas, await replicas.signIn(owner.email)).put(`/v1/users/${owner.id}/password`, {
          currentPassword: PASSWORD,
          newPassword: `${PASSWORD} anew`,
        }),
      ),
  },
  {
    name: 'a session whose user got a new password from an admin',
    kind: 'session',
    end: (replicas, { owner }) =>
      done(last(replicas).put(`/v1/users/${owner.id}/password`, { newPassword: `${PASSWORD} anew` })),
  },
  {
    name: 'a session whose user got a new password by reset-password',
    kind: 'session',
    end: async ({ database }, { owner }) => {
      const { code, stderr } = await runToEnd({ DATABASE_URL: database.url }, ['reset-password', owner.email]);
      if (code !== 0) {
        throw new Error(`reset-password failed: ${stderr}`);
      }
    },
  },
  {
    name: 'a session that expired',
    kind: 'session',
    end: async ({ database }, { owner }) => {
      await runSql(database, `UPDATE sessions SET expires = ${Date.now() - A_MINUTE_MS} WHERE user_id = ${owner.id}`);
    },
  },
  {
    name: 'a key that was deleted',
    kind: 'key',
    end: (replicas, { keyId }) => done(last(replicas).delete(`/v1/api_keys/${keyId}`)),
  },
  {
    name: 'a key that expired',
    kind: 'key',
    end: async ({ database }, { keyId }) => {
      await runSql(database, `UPDATE api_keys SET expiry_date = ${Date.now() - A_MINUTE_MS} WHERE id = ${keyId}`);
    },
  },
  {
    name: 'a key whose creator was deactivated',
    kind: 'key',
    end: (replicas, { owner }) => done(last(replicas).put(`/v1/users/${owner.id}`, { state: 'deactivated' })),
  },
  {
    name: 'a key whose creator was deleted',
    kind: 'key',
    end: (replicas, { owner }) => done(last(replicas).delete(`/v1/users/${owner.id}`)),
  },
  {
    name: 'a key whose creator was demoted',
    kind: 'key',
    concerns: needsAdmin,
    end: (replicas, { owner }) => done(last(replicas).put(`/v1/users/${owner.id}`, { isAdmin: false })),
  },
  {
    name: 'a key whose last Application was deleted',
    kind: 'key',
    applications: 1,
    concerns: ofApplication,
    end: (replicas, { applicationIds: [first] }) => done(last(replicas).delete(`/v1/applications/${first}`)),
  },
  {
    name: 'a key that lost one of its Applications',
    kind: 'key',
    applications: 3,
    concerns: ofApplication,
    end: (replicas, { applicationIds: [first] }) => done(last(replicas).delete(`/v1/applications/${first}`)),
  },
];

const last = (replicas: Replicas<Replica>) => replicas.keeper(replicas.servers.length - 1);
const lastAs = (replicas: Replicas<Replica>, authorization: string) =>
  replicas.as(authorization, replicas.servers.length - 1);

/** Waits for a change. Throws unless it succeeds. */
export async function done(answering: Promise<Answer>): Promise<void> {
  const { status, body } = await answering;
  if (status !== 200 && status !== 204) {
    throw new Error(`the authority did not end: ${status} ${JSON.stringify(body)}`);
  }
}

/** Creates an authority for an ending to end: the session of a new admin, or a key of a new admin. */
export async function createAuthority(
  replicas: Replicas<Replica>,
  { kind, applications = 0 }: Pick<Ending, 'kind' | 'applications'>,
  endpoints: readonly { method: string; path: string }[] = [],
): Promise<Authority> {
  const owner = await replicas.createUser({ isAdmin: true });
  const session = await replicas.signIn(owner.email);
  if (kind === 'session') {
    return { authorization: session, owner, applicationIds: [] };
  }
  const applicationIds: number[] = [];
  while (applicationIds.length < applications) {
    applicationIds.push(await createApplication(replicas.keeper()));
  }
  const limits = applications > 0 && { allowedApplicationIds: applicationIds };
  const granted = endpoints.map(({ method, path }) => ({ method, path }));
  const { id, key } = await createKey(replicas.as(session), { endpoints: granted, ...limits });
  return { authorization: `ManagementKey-v1 ${key}`, owner, keyId: id, applicationIds };
}

/** One row of each kind, for requests to use. Nothing else uses them. */
export interface Things {
  applicationId: number;
  campaignId: number;
  couponId: number;
  apiKeyId: number;
  service: string;
  userId: number;
  email: string;
  /** The email address of a deactivated user. */
  deactivatedEmail: string;
}

/** Creates one row of each kind. */
export async function createThings(replicas: Replicas<Replica>): Promise<Things> {
  const keeper = replicas.keeper();
  const place = await createCampaign(keeper, await createApplication(keeper));
  const { body } = await generateCoupons(keeper, place, {});
  const key = await createKey(keeper);
  const [user, deactivated] = [
    await replicas.createUser({ isAdmin: false }),
    await replicas.createUser({ isAdmin: false }),
  ];
  await done(keeper.put(`/v1/users/${deactivated.id}`, { state: 'deactivated' }));
  const service = `service-${key.id}`;
  const registered = await keeper.put(`/v1/services/${service}`, {
    name: service,
    openapi: { openapi: '3.1.0', info: { title: service, version: '1' }, paths: { '/things': { get: {} } } },
  });
  if (registered.status !== 201) {
    throw new Error(`no service: ${JSON.stringify(registered.body)}`);
  }
  return {
    applicationId: place.applicationId,
    campaignId: place.campaignId,
    couponId: body.data[0]!.id,
    apiKeyId: key.id,
    service,
    userId: user.id,
    email: user.email,
    deactivatedEmail: deactivated.email,
  };
}
