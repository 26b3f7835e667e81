import { containing, fold } from '../database/fold.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import type { Page } from '../input/paging.js';
import { readSort } from '../input/sorting.js';
import type { ApiKey } from './api-key.entity.js';
import type { ApiKeyQuery } from './api-keys.dto.js';
import { EXPIRES_SOON_MS, STATE_SQL } from './key-condition.js';

const COLUMNS = { id: 'k.id', name: 'k.nameKey', created: 'k.created', expiryDate: 'k.expiryDate' } as const;

/** Finds one page of keys. It filters by the state that the page shows, at the same moment. */
export async function listApiKeys(
  apiKeys: ReadRepository<ApiKey>,
  query: ApiKeyQuery,
  now: number,
): Promise<Page<ApiKey>> {
  const find = apiKeys.createQueryBuilder('k');
  if (query.state !== undefined) {
    find
      .innerJoin('users', 'u', 'u.id = k.createdBy')
      .andWhere(`${STATE_SQL} = :state`, { state: query.state, now, soon: now + EXPIRES_SOON_MS });
  }
  if (query.name !== undefined) {
    find.andWhere("k.nameKey LIKE :name ESCAPE '!'", { name: containing(fold(query.name)) });
  }
  if (query.createdBy !== undefined) {
    find.andWhere('k.createdBy = :createdBy', { createdBy: query.createdBy });
  }
  if (query.applicationId !== undefined) {
    find.andWhere(
      '(k.allApplications = 1 OR EXISTS (SELECT 1 FROM api_key_applications x WHERE x.api_key_id = k.id AND x.application_id = :applicationId))',
      { applicationId: query.applicationId },
    );
  }
  if (query.endpoint !== undefined) {
    const [path, method, service] = query.endpoint.split(' ').reverse();
    find.andWhere(
      `EXISTS (SELECT 1 FROM api_key_endpoints e WHERE e.api_key_id = k.id AND e.method = :method AND e.path = :path${service === undefined ? '' : ' AND e.service = :service'})`,
      { method, path, service },
    );
  }
  const { column, direction } = readSort(query.sort, COLUMNS);
  find.orderBy(column, direction).addOrderBy('k.id', direction);
  const [data, totalResultSize] = await find.skip(query.skip).take(query.pageSize).getManyAndCount();
  return { totalResultSize, data };
}
