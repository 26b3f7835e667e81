import { createHash } from 'node:crypto';
import { Client } from '../support/client.js';
import { CAMPAIGNS, createApplication, createKey } from '../support/fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from '../support/harness.js';
import type { Chance } from './hostile.js';
import type { Subjects } from './openapi-requests.js';

/** A caller: unauthenticated, a user, an admin or a key. */
export interface FuzzCaller {
  name: string;
  authorization: string | undefined;
}

/** The rows that one request can use. They belong together. */
interface Things {
  applicationId: number;
  campaignId: number;
  couponId: number;
  userId: number;
  email: string;
  apiKeyId: number;
  service: string;
}

const THINGS_MAX = 6;
const PASSWORD = 'a password of the fuzz';
const EXPIRY = '2099-06-30T22:00:00Z';

/**
 * Provides what requests need to pass the first checks: authorized callers, and rows that exist. An admin whom the fuzz
 * does not know replaces whatever it destroys.
 */
export class FuzzWorld implements Subjects {
  /** All keys and tokens that callers present or that were created for them, with their stored hashes. */
  readonly secrets = new Set<string>();
  callers: FuzzCaller[] = [];
  private things: Things[] = [];
  private turn: Things | undefined;
  private count = 0;
  private constructor(
    readonly url: string,
    private keeper: Client,
    private readonly chance: Chance,
    private readonly grantable: { service: string; method: string; path: string; scope: string }[],
  ) {}

  static async create(url: string, chance: Chance): Promise<FuzzWorld> {
    const keeper = await signIn(url, ADMIN_EMAIL, ADMIN_PASSWORD);
    const endpoints = await keeper.get<{ data: FuzzWorld['grantable'] }>('/v1/endpoints?pageSize=1000');
    const world = new FuzzWorld(url, keeper, chance, endpoints.body.data);
    for (let index = 0; index < THINGS_MAX; index += 1) {
      await world.add();
    }
    await world.restore();
    return world;
  }

  /** Chooses the rows for the next request. */
  choose(operationId: string): void {
    const things = this.chance.pick(this.things);
    const asksForLatchkey = operationId === 'forwardAuth' && this.chance.in(0.7);
    this.turn = asksForLatchkey ? { ...things, service: 'management' } : things;
  }

  caller(name: string): FuzzCaller {
    return this.callers.find((caller) => caller.name === name)!;
  }

  existing(name: string): unknown {
    const { chance } = this;
    const turn = this.turn!;
    switch (name) {
      case 'applicationId':
      case 'campaignId':
      case 'couponId':
      case 'userId':
      case 'apiKeyId':
      case 'service':
        return turn[name];
      case 'createdBy':
        return turn.userId;
      case 'managementKeyId':
        return turn.apiKeyId;
      case 'activateUserByEmail.email':
      case 'deactivateUserByEmail.email':
      case 'deleteUserByEmail.email':
        return turn.email;
      case 'createUser.name':
      case 'updateUser.name':
        return chance.in(0.7) ? 'Fuzz' : undefined;
      case 'createUser.password':
        return chance.in(0.9) ? PASSWORD : undefined;
      case 'X-Forwarded-Method':
      case 'X-Original-Method':
        return 'GET';
      case 'X-Forwarded-Uri':
      case 'X-Original-URI':
        return `/v1/applications/${turn.applicationId}/campaigns`;
      case 'createSession':
        return chance.in(0.5) ? { email: turn.email, password: PASSWORD } : undefined;
      case 'setPassword.newPassword':
        return PASSWORD;
      case 'setPassword.currentPassword':
        return chance.in(0.3) ? PASSWORD : undefined;
      case 'createApiKey': {
        const limited = chance.in(0.5);
        const endpoints = this.grantable.filter(({ scope }) => !limited || scope === 'application');
        return {
          name: `Key ${chance.below(1e6)}`,
          expiryDate: EXPIRY,
          endpoints: [chance.pick(endpoints)].map(({ service, method, path }) => ({ service, method, path })),
          ...(limited && { allowedApplicationIds: [turn.applicationId] }),
        };
      }
      case 'createApplication.timezone':
        return chance.in(0.9) ? 'UTC' : undefined;
      case 'createApplication.currency':
        return chance.in(0.9) ? 'EUR' : undefined;
      case 'createApplication.name':
        return `Application ${chance.below(1e9)}`;
      case 'putService.openapi':
        return this.openapi();
      case 'putService.applicationParameter':
        return chance.in(0.3) ? 'shop' : undefined;
      case 'verifyApiKey':
        return chance.in(0.8)
          ? {
              key: this.keyOf(chance.pick(['key', 'limited key'])),
              method: 'GET',
              path: `/v1/applications/${turn.applicationId}`,
            }
          : undefined;
      case 'dialect':
        return chance.pick(['forwarded', 'original', 'envoy']);
      default:
        return undefined;
    }
  }

  /** Replaces callers that no longer work, and some of the oldest rows. */
  async restore(): Promise<void> {
    await this.add();
    const alive: FuzzCaller[] = [{ name: 'an unauthenticated client', authorization: undefined }];
    for (const name of ['user', 'admin', 'key', 'limited key']) {
      const known = this.callers.find((caller) => caller.name === name);
      alive.push(known && (await this.isAlive(known)) ? known : { name, authorization: await this.credential(name) });
    }
    this.callers = alive;
  }

  /** Returns whether the admin whom the fuzz does not know can still sign in and work. */
  async isGoverned(): Promise<boolean> {
    const keeper = await signIn(this.url, ADMIN_EMAIL, ADMIN_PASSWORD);
    return (await keeper.get('/v1/users')).status === 200;
  }

  private note(secret: string): void {
    this.secrets.add(secret);
    this.secrets.add(createHash('sha256').update(secret).digest('hex'));
  }

  private keyOf(name: string): string {
    return this.caller(name).authorization!.split(' ')[1]!;
  }

  /**
   * Returns whether a caller still works. A key is verified, because the things that it opens may be deleted before the
   * key.
   */
  private async isAlive({ name, authorization = '' }: FuzzCaller): Promise<boolean> {
    const [scheme, token] = authorization.split(' ');
    if (scheme === 'Bearer') {
      const answer = await this.as(authorization).get<{ user: { isAdmin: boolean } }>('/v1/sessions/current');
      return answer.status === 200 && answer.body.user.isAdmin === (name === 'admin');
    }
    const question = { key: token, method: 'GET', path: '/v1/applications/1' };
    const { body } = await this.keeper.post<{ key: { state: string } | null }>('/v1/verifications', question);
    return body.key?.state === 'valid';
  }

  private async credential(name: string): Promise<string> {
    if (name === 'user' || name === 'admin') {
      const user = await this.user(name === 'admin');
      const client = await signIn(this.url, user.email, PASSWORD);
      this.note(client.authorization!.split(' ')[1]!);
      return client.authorization!;
    }
    const limited = name === 'limited key';
    const { key } = await createKey(this.keeper, {
      expiryDate: EXPIRY,
      endpoints: this.grantable
        .filter(({ service, scope }) => service === 'management' && (!limited || scope === 'application'))
        .map(({ method, path }) => ({ method, path })),
      ...(limited && { allowedApplicationIds: this.things.map(({ applicationId }) => applicationId) }),
    });
    this.note(key);
    return `ManagementKey-v1 ${key}`;
  }

  private async user(isAdmin: boolean): Promise<{ id: number; email: string }> {
    this.count += 1;
    const email = `made${this.count}@fuzz.example`;
    const user = { name: email, email, password: PASSWORD, isAdmin };
    return { id: await idOf(this.keeper.post('/v1/users', user)), email };
  }

  private async add(): Promise<void> {
    this.count += 1;
    const applicationId = await createApplication(this.keeper, `Fuzz ${this.count}`);
    const campaigns = `/v1/applications/${applicationId}/campaigns`;
    const campaignId = await idOf(this.keeper.post(campaigns, { name: 'Fuzz' }));
    const coupons = await this.keeper.post<{ data: { id: number }[] }>(`${campaigns}/${campaignId}/coupons`, {
      usageLimit: 1,
      numberOfCoupons: 3,
    });
    const { id: userId, email } = await this.user(false);
    const apiKey = await createKey(this.keeper, { expiryDate: EXPIRY, endpoints: [CAMPAIGNS] });
    this.note(apiKey.key);
    const service = `fuzz-${this.count}`;
    await this.keeper.put(`/v1/services/${service}`, { name: service, openapi: this.openapi() });
    const couponId = coupons.body.data[0]!.id;
    this.things.push({ applicationId, campaignId, couponId, userId, email, apiKeyId: apiKey.id, service });
    this.things = this.things.slice(-THINGS_MAX);
  }

  private openapi(): object {
    const { chance } = this;
    const paths = [
      '/orders',
      '/orders/{orderId}',
      '/files/{name}.json',
      '/{a}{b}',
      '/shops/{shop}',
      '/x/{applicationId}',
    ];
    const chosen = paths.filter(() => chance.in(0.6));
    return {
      openapi: chance.pick(['3.0.3', '3.1.0']),
      info: { title: 'Fuzz', version: '1' },
      paths: Object.fromEntries(chosen.map((path) => [path, { get: { summary: 'Read', tags: ['Fuzz'] }, delete: {} }])),
    };
  }

  private as(authorization: string): Client {
    return new Client(this.url, authorization, new Set());
  }
}

async function signIn(url: string, email: string, password: string): Promise<Client> {
  const answer = await new Client(url, undefined, new Set()).post<{ token: string }>('/v1/sessions', {
    email,
    password,
  });
  if (answer.status !== 201) {
    throw new Error(`sign-in of ${email} failed: ${JSON.stringify(answer.body)}`);
  }
  return new Client(url, `Bearer ${answer.body.token}`, new Set());
}

async function idOf(answering: Promise<{ status: number; body: unknown }>): Promise<number> {
  const { status, body } = await answering;
  if (status !== 201) {
    throw new Error(`not made: ${status} ${JSON.stringify(body)}`);
  }
  return (body as { id: number }).id;
}
