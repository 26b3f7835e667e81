import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Between } from 'typeorm';
import { endpointId } from '../../access/access.js';
import { Clock } from '../../config/clock.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { toRfc3339 } from '../../database/times.js';
import { validationFailed } from '../../problems/validation-failed.js';
import { Problem } from '../../problems/problem.js';
import type { ProblemCode } from '../../problems/problem-codes.js';
import { readSort } from '../../input/sorting.js';
import type { ApiKeyUsagePage, ApiKeyUsageQuery } from './api-key-usage.dto.js';
import { ApiKeyUsage } from './api-key-usage.entity.js';
import { ApiKey, ApiKeyEndpoint } from '../api-key.entity.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_DAYS = 30;
const DAYS_MAX = 366;

/** Returns the usage of keys. */
@Injectable()
export class ApiKeyUsageService {
  constructor(
    @InjectRepository(ApiKey) private readonly apiKeys: ReadRepository<ApiKey>,
    @InjectRepository(ApiKeyEndpoint) private readonly endpoints: ReadRepository<ApiKeyEndpoint>,
    @InjectRepository(ApiKeyUsage) private readonly usage: ReadRepository<ApiKeyUsage>,
    private readonly clock: Clock,
  ) {}

  /** Returns the usage of a key, and the endpoints that it never used. Throws `api-key-not-found`. */
  async show(apiKeyId: number, query: ApiKeyUsageQuery): Promise<ApiKeyUsagePage> {
    const { from, to } = this.daysOf(query);
    if (!(await this.apiKeys.existsBy({ id: apiKeyId }))) {
      throw new Problem('api-key-not-found', `There is no key ${apiKeyId}.`);
    }
    const [[rows, totalResultSize], granted, used] = await Promise.all([
      this.usage.findAndCount({
        where: { apiKeyId, day: Between(from, to) },
        order: {
          day: readSort(query.sort, { day: 'day' }).direction,
          service: 'ASC',
          path: 'ASC',
          method: 'ASC',
          counter: 'ASC',
        },
        skip: query.skip,
        take: query.pageSize,
      }),
      this.endpoints.find({ where: { apiKeyId }, order: { position: 'ASC' } }),
      this.usedEndpoints(apiKeyId),
    ]);
    return {
      from: dayOf(from),
      to: dayOf(to),
      totalResultSize,
      data: rows.map(({ day, service, method, path, applicationId, outcome, amount, lastUsed }) => ({
        day: dayOf(day),
        service,
        method,
        path,
        applicationId,
        outcome: outcome as 'allowed' | ProblemCode,
        amount,
        lastUsed: toRfc3339(lastUsed),
      })),
      neverUsed: granted
        .filter((endpoint) => !used.has(endpointId(endpoint)))
        .map(({ service, method, path }) => ({ service, method, path })),
    };
  }

  private async usedEndpoints(apiKeyId: number): Promise<Set<string>> {
    const rows = await this.usage
      .createQueryBuilder('usage')
      .distinct(true)
      .select('usage.service', 'service')
      .addSelect('usage.method', 'method')
      .addSelect('usage.path', 'path')
      .where('usage.apiKeyId = :apiKeyId AND usage.outcome = :outcome', { apiKeyId, outcome: 'allowed' })
      .getRawMany<{ service: string; method: string; path: string }>();
    return new Set(rows.map(endpointId));
  }

  private daysOf(query: ApiKeyUsageQuery): { from: number; to: number } {
    const to = query.to === undefined ? Math.floor(this.clock.now() / DAY_MS) : readDay('to', query.to);
    const from = query.from === undefined ? to - DEFAULT_DAYS + 1 : readDay('from', query.from);
    if (from > to) {
      throw validationFailed([{ parameter: 'from', detail: 'from must not be after to' }]);
    }
    if (to - from >= DAYS_MAX) {
      throw validationFailed([{ parameter: 'from', detail: `from must be within ${DAYS_MAX} days before to` }]);
    }
    return { from, to };
  }
}

/** Parses a day to the number of days since 1970-01-01. */
function readDay(parameter: string, text: string): number {
  const time = Date.parse(`${text}T00:00:00.000Z`);
  // JavaScript parses February 30th as March 2nd.
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text)) {
    throw validationFailed([{ parameter, detail: `${parameter} must be a day as YYYY-MM-DD` }]);
  }
  return time / DAY_MS;
}

function dayOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
