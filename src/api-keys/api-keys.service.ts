import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Brackets, type EntityManager, In } from 'typeorm';
import { type Endpoint, endpointId, MANAGEMENT } from '../access/access.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { type Caller, userOf } from '../access/caller.js';
import { hashSecret, mintSecret } from '../access/secret.js';
import { ApplicationsService } from '../applications/applications.service.js';
import { lockNothing, Transactions } from '../authority/transactions.js';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.js';
import { fold } from '../database/fold.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import { validationFailed } from '../problems/validation-failed.js';
import type { Page } from '../input/paging.js';
import { type Fault, Problem } from '../problems/problem.js';
import { ApiKeyViews } from './api-key-views.js';
import { ApiKey, ApiKeyApplication, ApiKeyEndpoint } from './api-key.entity.js';
import type { ApiKeyQuery, ApiKeyView, MintedApiKey, NewApiKey } from './api-keys.dto.js';
import { listApiKeys } from './api-key-list.js';
import { checkChoices } from './grants/endpoint-choices.js';
import { readExpiryDate } from './expiry-date.js';
import { KEY_PREFIX } from './key-reader.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const HINT_LENGTH = 8;
const HOLDERS_SHOWN = 100;
const ENDPOINTS_PER_STATEMENT = 200;

/** An endpoint of a service that keys may hold. */
export interface HeldEndpoint {
  method: string;
  path: string;
}

/** A service whose endpoints keys may hold. */
export interface HeldService {
  id: number;
  service: string;
}

/** The number of keys that hold an endpoint, and the first of them by id. */
export interface Holders {
  totalResultSize: number;
  data: { id: number; name: string; hint: string }[];
}

/** Creates, lists and deletes keys. A key never changes after its creation. */
@Injectable()
export class ApiKeysService {
  constructor(
    @InjectRepository(ApiKey) private readonly apiKeys: ReadRepository<ApiKey>,
    private readonly views: ApiKeyViews,
    private readonly catalogue: EndpointCatalogue,
    private readonly applications: ApplicationsService,
    private readonly transactions: Transactions,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Creates a key, which works as soon as this returns. Throws `validation-failed` with every fault. */
  async create(caller: Caller, request: NewApiKey): Promise<MintedApiKey> {
    const { userId } = userOf(caller);
    const applicationIds = request.allowedApplicationIds ?? [];
    const grantableById = await this.catalogue.grantableById();
    const faults = checkChoices(request.endpoints, grantableById, applicationIds.length > 0);
    const expiryDate = this.checkExpiry(request.expiryDate, faults);
    const key = mintSecret(KEY_PREFIX);
    const apiKey: Omit<ApiKey, 'id'> = {
      created: this.clock.now(),
      createdBy: userId,
      name: request.name,
      nameKey: fold(request.name),
      keyHash: hashSecret(key),
      hint: key.slice(0, HINT_LENGTH),
      expiryDate,
      allApplications: applicationIds.length === 0,
    };
    const endpoints = request.endpoints.map(({ service = MANAGEMENT, method, path }) => ({ service, method, path }));
    const grants = endpoints.flatMap((choice) => {
      const endpoint = grantableById(endpointId(choice));
      return endpoint ? [{ ...choice, ...meaningOf(endpoint) }] : [];
    });
    const id = await this.transactions.changeAuthority(caller, async (write) => {
      const { tx } = write;
      const existing = await this.applications.existing(tx, applicationIds);
      const missing = applicationIds.flatMap((applicationId, position) =>
        existing.has(applicationId)
          ? []
          : [
              {
                pointer: `/allowedApplicationIds/${position}`,
                detail: `there is no Application ${applicationId}: GET /v1/applications lists them`,
              },
            ],
      );
      if (faults.length + missing.length > 0) {
        throw validationFailed([...faults, ...missing]);
      }
      const inserted = await tx.insert(ApiKey, apiKey);
      const apiKeyId = inserted.identifiers[0]!.id as number;
      await insertInBatches(
        tx,
        ApiKeyApplication,
        applicationIds.map((applicationId) => ({ apiKeyId, applicationId })),
      );
      await insertInBatches(
        tx,
        ApiKeyEndpoint,
        grants.map((grant, position) => ({ apiKeyId, position, ...grant })),
      );
      write.record({
        entity: 'POST /v1/api_keys',
        new: { id: apiKeyId, ...summaryOf(apiKey), endpoints, allowedApplicationIds: applicationIds },
        hiddenFromKeys: true,
      });
      return apiKeyId;
    });
    // The view comes from memory: if a read failed here, the key would exist, but no client would know its secret.
    return { ...this.views.ofNew({ id, ...apiKey }, endpoints, applicationIds), key };
  }

  /** Returns a key by its id. Throws `api-key-not-found`. */
  async get(id: number): Promise<ApiKeyView> {
    const apiKey = await this.apiKeys.findOneBy({ id });
    if (!apiKey) {
      throw new Problem('api-key-not-found', `There is no key ${id}.`);
    }
    const [view] = await this.views.of([apiKey]);
    return view!;
  }

  /** Returns one page of the keys that match a query. */
  async list(query: ApiKeyQuery): Promise<Page<ApiKeyView>> {
    const { totalResultSize, data } = await listApiKeys(this.apiKeys, query, this.clock.now());
    return { totalResultSize, data: await this.views.of(data) };
  }

  /** Ends a key for ever. Once this returns, no request that starts later is accepted. Throws `api-key-not-found`. */
  async delete(caller: Caller, id: number): Promise<void> {
    await this.transactions.endAuthority(caller, lockNothing, async (write) => {
      const { tx } = write;
      const apiKey = await tx.findOneBy(ApiKey, { id });
      const where = { apiKeyId: id };
      const endpoints = await tx.find(ApiKeyEndpoint, { where, order: { position: 'ASC' } });
      const applications = await tx.find(ApiKeyApplication, { where, order: { applicationId: 'ASC' } });
      const { affected } = await tx.delete(ApiKey, { id });
      if (!apiKey || affected === 0) {
        throw new Problem('api-key-not-found', `There is no key ${id}.`);
      }
      write.record({
        entity: `DELETE /v1/api_keys/${id}`,
        old: {
          id,
          ...summaryOf(apiKey),
          endpoints: endpoints.map(({ service, method, path }) => ({ service, method, path })),
          allowedApplicationIds: applications.map(({ applicationId }) => applicationId),
        },
        hiddenFromKeys: true,
      });
    });
  }

  /** Counts the keys that hold one of these endpoints of a service, and returns the first hundred of them. */
  async holding(tx: EntityManager, service: HeldService, endpoints: readonly HeldEndpoint[]): Promise<Holders> {
    const ids = new Set<number>();
    for (let start = 0; start < endpoints.length; start += ENDPOINTS_PER_STATEMENT) {
      const wanted = endpoints.slice(start, start + ENDPOINTS_PER_STATEMENT);
      const rows = await tx
        .createQueryBuilder(ApiKeyEndpoint, 'held')
        .select('DISTINCT held.apiKeyId', 'apiKeyId')
        .where('held.service = :service AND held.serviceId = :id', service)
        .andWhere(
          new Brackets((either) =>
            wanted.forEach(({ method, path }, index) =>
              either.orWhere(`held.method = :method${index} AND held.path = :path${index}`, {
                [`method${index}`]: method,
                [`path${index}`]: path,
              }),
            ),
          ),
        )
        .getRawMany<{ apiKeyId: number }>();
      rows.forEach((row) => ids.add(row.apiKeyId));
    }
    const first = [...ids].sort((one, other) => one - other).slice(0, HOLDERS_SHOWN);
    const data = await tx.find(ApiKey, {
      select: { id: true, name: true, hint: true },
      where: { id: In(first) },
      order: { id: 'ASC' },
    });
    return { totalResultSize: ids.size, data: data.map(({ id, name, hint }) => ({ id, name, hint })) };
  }

  private checkExpiry(text: string, faults: Fault[]): number {
    const pointer = '/expiryDate';
    const expiryDate = readExpiryDate(text);
    const days = this.config.API_KEY_LIFETIME_DAYS_MAX;
    if (expiryDate <= this.clock.now()) {
      faults.push({ pointer, detail: 'must be in the future' });
    } else if (days !== undefined && expiryDate > this.clock.now() + days * DAY_MS) {
      faults.push({ pointer, detail: `must be within ${days} days from now` });
    }
    return expiryDate;
  }
}

/** Returns the meaning of an endpoint, which is stored with a grant so that the grant never opens anything else. */
function meaningOf({
  serviceId,
  applicationParameter,
}: Endpoint): Pick<ApiKeyEndpoint, 'serviceId' | 'applicationParameter'> {
  return { serviceId, applicationParameter: applicationParameter ?? '' };
}

/** Returns the facts about a key for the audit log. They contain no hash, and nothing that reveals the secret. */
function summaryOf(apiKey: Omit<ApiKey, 'id'>): Record<string, unknown> {
  const { name, createdBy, hint, allApplications } = apiKey;
  return { name, createdBy, hint, allApplications, expiryDate: new Date(apiKey.expiryDate).toISOString() };
}

/** Inserts rows in batches, because both engines limit the number of parameters of a query. */
async function insertInBatches<Row extends object>(
  tx: EntityManager,
  entity: new () => Row,
  rows: Row[],
): Promise<void> {
  for (let start = 0; start < rows.length; start += 500) {
    await tx
      .createQueryBuilder()
      .insert()
      .into(entity)
      .values(rows.slice(start, start + 500))
      // Without this, TypeORM reads all rows back, because some columns have a default.
      .updateEntity(false)
      .execute();
  }
}
