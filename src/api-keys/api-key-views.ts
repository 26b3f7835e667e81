import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In } from 'typeorm';
import { type Endpoint, endpointId, grantId } from '../access/access.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { Clock } from '../config/clock.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import { toRfc3339 } from '../database/times.js';
import { ApiKeyUsage } from './usage/api-key-usage.entity.js';
import { ApiKey, ApiKeyApplication, ApiKeyEndpoint } from './api-key.entity.js';
import type { ApiKeyView, GrantedEndpoint } from './api-keys.dto.js';
import { faultOf, stateOf } from './key-condition.js';

/** An endpoint of a key that was just created. */
type NewGrant = Pick<ApiKeyEndpoint, 'service' | 'method' | 'path'>;

/** Converts keys to the views that admins see. */
@Injectable()
export class ApiKeyViews {
  /** Ids of our own endpoints that need an admin's session or a key of an admin. */
  private readonly adminEndpoints: ReadonlySet<string>;

  constructor(
    @InjectRepository(ApiKey) private readonly apiKeys: ReadRepository<ApiKey>,
    @InjectRepository(ApiKeyApplication) private readonly applications: ReadRepository<ApiKeyApplication>,
    @InjectRepository(ApiKeyEndpoint) private readonly endpoints: ReadRepository<ApiKeyEndpoint>,
    private readonly catalogue: EndpointCatalogue,
    private readonly clock: Clock,
  ) {
    const ofAdmins = catalogue.own.filter(({ access }) => access.kind === 'key' && access.session === 'admin');
    this.adminEndpoints = new Set(ofAdmins.map(endpointId));
  }

  /** Returns the views of these keys, in the same order. */
  async of(apiKeys: readonly ApiKey[]): Promise<ApiKeyView[]> {
    if (apiKeys.length === 0) {
      return [];
    }
    const ids = apiKeys.map((apiKey) => apiKey.id);
    const [applications, endpoints, lastUsed, creators, grantableById] = await Promise.all([
      this.applications.find({ where: { apiKeyId: In(ids) }, order: { apiKeyId: 'ASC', applicationId: 'ASC' } }),
      this.endpoints.find({ where: { apiKeyId: In(ids) }, order: { apiKeyId: 'ASC', position: 'ASC' } }),
      this.lastUsed(ids),
      this.creators(ids),
      this.catalogue.grantableById(),
    ]);
    const applicationsOf = byKey(applications);
    const endpointsOf = byKey(endpoints);
    const now = this.clock.now();
    return apiKeys.map((apiKey) => {
      const { state: creatorState, isAdmin } = creators.get(apiKey.id) ?? { state: 'deleted', isAdmin: false };
      return viewOf(apiKey, {
        endpoints: (endpointsOf.get(apiKey.id) ?? []).map((grant) => ({
          ...grantView(grant, grantableById(endpointId(grant))),
          ownerNotAdmin: !isAdmin && this.adminEndpoints.has(endpointId(grant)),
        })),
        applicationIds: (applicationsOf.get(apiKey.id) ?? []).map((row) => row.applicationId),
        creatorState,
        lastUsed: lastUsed.get(apiKey.id),
        now,
      });
    });
  }

  /** Returns the view of a key at its creation, without reading the database. */
  ofNew(apiKey: ApiKey, endpoints: readonly NewGrant[], applicationIds: readonly number[]): ApiKeyView {
    return viewOf(apiKey, {
      endpoints: endpoints.map((endpoint) => ({ ...endpoint, gone: false, changed: false, ownerNotAdmin: false })),
      applicationIds: [...applicationIds].sort((one, other) => one - other),
      creatorState: 'active',
      lastUsed: undefined,
      now: apiKey.created,
    });
  }

  private async creators(ids: readonly number[]): Promise<Map<number, { state: string; isAdmin: boolean }>> {
    const rows = await this.apiKeys
      .createQueryBuilder('k')
      .innerJoin('users', 'u', 'u.id = k.createdBy')
      .select('k.id', 'id')
      .addSelect('u.state', 'state')
      .addSelect('u.is_admin', 'isAdmin')
      .where('k.id IN (:...ids)', { ids })
      .getRawMany<{ id: number; state: string; isAdmin: number }>();
    return new Map(rows.map(({ id, state, isAdmin }) => [id, { state, isAdmin: Number(isAdmin) === 1 }]));
  }

  private async lastUsed(ids: readonly number[]): Promise<Map<number, number>> {
    // This reads one index entry per key, instead of all usage counters of all keys.
    const rows = await this.apiKeys
      .createQueryBuilder('k')
      .select('k.id', 'id')
      .addSelect(
        (last) =>
          last
            .select('MAX(u.lastUsed)')
            .from(ApiKeyUsage, 'u')
            .where('u.apiKeyId = k.id AND u.outcome = :outcome', { outcome: 'allowed' }),
        'lastUsed',
      )
      .where('k.id IN (:...ids)', { ids })
      .getRawMany<{ id: number; lastUsed: number | string | null }>();
    return new Map(rows.flatMap(({ id, lastUsed }) => (lastUsed === null ? [] : [[id, Number(lastUsed)]])));
  }
}

/** @param endpoint the endpoint of the catalogue with the same service, METHOD and path */
function grantView(grant: ApiKeyEndpoint, endpoint: Endpoint | undefined): Omit<GrantedEndpoint, 'ownerNotAdmin'> {
  const { service, method, path } = grant;
  const isThere = endpoint?.serviceId === grant.serviceId;
  return { service, method, path, gone: !isThere, changed: isThere && grantId(endpoint) !== grantId(grant) };
}

function viewOf(
  apiKey: ApiKey,
  about: {
    endpoints: ApiKeyView['endpoints'];
    applicationIds: number[];
    creatorState: string;
    lastUsed: number | undefined;
    now: number;
  },
): ApiKeyView {
  const vitals = {
    creatorState: about.creatorState,
    expiryDate: apiKey.expiryDate,
    allApplications: apiKey.allApplications,
    applicationCount: about.applicationIds.length,
  };
  return {
    id: apiKey.id,
    name: apiKey.name,
    created: toRfc3339(apiKey.created),
    createdBy: apiKey.createdBy,
    accountID: 1,
    expiryDate: toRfc3339(apiKey.expiryDate),
    endpoints: about.endpoints,
    allowedApplicationIds: about.applicationIds,
    allApplications: apiKey.allApplications,
    state: stateOf(vitals, about.now),
    stateReason: faultOf(vitals, about.now) ?? null,
    disabled: about.creatorState !== 'active',
    lastUsed: about.lastUsed === undefined ? null : toRfc3339(about.lastUsed),
    hint: apiKey.hint,
  };
}

function byKey<Row extends { apiKeyId: number }>(rows: readonly Row[]): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.apiKeyId);
    if (group) {
      group.push(row);
    } else {
      groups.set(row.apiKeyId, [row]);
    }
  }
  return groups;
}
