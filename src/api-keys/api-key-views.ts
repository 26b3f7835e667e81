import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In } from 'typeorm';
import { endpointId } from '../access/access.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { Clock } from '../config/clock.js';
import type { ReadRepository } from '../database/read-repository.js';
import { toRfc3339 } from '../database/times.js';
import { ApiKeyUsage } from './api-key-usage.entity.js';
import { ApiKey, ApiKeyApplication, ApiKeyEndpoint } from './api-key.entity.js';
import type { ApiKeyView } from './api-keys.dto.js';
import { faultOf, stateOf } from './key-condition.js';

/** Shows keys as admins see them. */
@Injectable()
export class ApiKeyViews {
  constructor(
    @InjectRepository(ApiKey) private readonly apiKeys: ReadRepository<ApiKey>,
    @InjectRepository(ApiKeyApplication) private readonly applications: ReadRepository<ApiKeyApplication>,
    @InjectRepository(ApiKeyEndpoint) private readonly endpoints: ReadRepository<ApiKeyEndpoint>,
    @InjectRepository(ApiKeyUsage) private readonly usage: ReadRepository<ApiKeyUsage>,
    private readonly catalogue: EndpointCatalogue,
    private readonly clock: Clock,
  ) {}

  /** The views of these keys, in their order. */
  async of(apiKeys: readonly ApiKey[]): Promise<ApiKeyView[]> {
    if (apiKeys.length === 0) {
      return [];
    }
    const ids = apiKeys.map((apiKey) => apiKey.id);
    const [applications, endpoints, lastUsed, creatorStates, grantable] = await Promise.all([
      this.applications.find({ where: { apiKeyId: In(ids) }, order: { apiKeyId: 'ASC', applicationId: 'ASC' } }),
      this.endpoints.find({ where: { apiKeyId: In(ids) }, order: { apiKeyId: 'ASC', position: 'ASC' } }),
      this.lastUsed(ids),
      this.creatorStates(ids),
      this.catalogue.grantable(),
    ]);
    const inCatalogue = new Set(grantable.map(endpointId));
    const applicationsOf = byKey(applications);
    const endpointsOf = byKey(endpoints);
    const now = this.clock.now();
    return apiKeys.map((apiKey) => {
      const allowedApplicationIds = (applicationsOf.get(apiKey.id) ?? []).map((row) => row.applicationId);
      const vitals = {
        creatorState: creatorStates.get(apiKey.id) ?? 'deleted',
        expiryDate: apiKey.expiryDate,
        allApplications: apiKey.allApplications,
        applicationCount: allowedApplicationIds.length,
      };
      const used = lastUsed.get(apiKey.id);
      return {
        id: apiKey.id,
        name: apiKey.name,
        created: toRfc3339(apiKey.created),
        createdBy: apiKey.createdBy,
        accountID: 1,
        expiryDate: toRfc3339(apiKey.expiryDate),
        endpoints: (endpointsOf.get(apiKey.id) ?? []).map(({ service, method, path }) => ({
          service,
          method,
          path,
          gone: !inCatalogue.has(endpointId({ service, method, path })),
        })),
        allowedApplicationIds,
        allApplications: apiKey.allApplications,
        state: stateOf(vitals, now),
        stateReason: faultOf(vitals, now) ?? null,
        disabled: vitals.creatorState !== 'active',
        lastUsed: used === undefined ? null : toRfc3339(used),
        hint: apiKey.hint,
      };
    });
  }

  private async creatorStates(ids: readonly number[]): Promise<Map<number, string>> {
    const rows = await this.apiKeys
      .createQueryBuilder('k')
      .innerJoin('users', 'u', 'u.id = k.createdBy')
      .select('k.id', 'id')
      .addSelect('u.state', 'state')
      .where('k.id IN (:...ids)', { ids })
      .getRawMany<{ id: number; state: string }>();
    return new Map(rows.map((row) => [row.id, row.state]));
  }

  private async lastUsed(ids: readonly number[]): Promise<Map<number, number>> {
    const rows = await this.usage
      .createQueryBuilder('usage')
      .select('usage.apiKeyId', 'apiKeyId')
      .addSelect('MAX(usage.lastUsed)', 'lastUsed')
      .where('usage.apiKeyId IN (:...ids) AND usage.outcome = :outcome', { ids, outcome: 'allowed' })
      .groupBy('usage.apiKeyId')
      .getRawMany<{ apiKeyId: number; lastUsed: number | string }>();
    return new Map(rows.map((row) => [row.apiKeyId, Number(row.lastUsed)]));
  }
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
