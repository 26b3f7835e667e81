import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In } from 'typeorm';
import type { Caller } from '../access/caller.js';
import { Config } from '../config/config.js';
import { engineOf } from '../database/data-source.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import type { Scan } from '../database/reading/scan-turns.js';
import { toRfc3339 } from '../database/times.js';
import { readTime } from '../input/fields/rfc3339.js';
import { Change } from './change.entity.js';
import { ChangeSearch } from './change-search.js';
import type { ChangePage, ChangeQuery, ChangeView } from './changes.dto.js';

/** Which fields of a change are shown. Keys see neither addresses nor the names of other keys. */
interface Shown {
  old: boolean;
  toKey: boolean;
}

/** Reads the audit log. */
@Injectable()
export class ChangeList {
  constructor(
    @InjectRepository(Change) private readonly changes: ReadRepository<Change>,
    private readonly config: Config,
  ) {}

  /**
   * Returns one page of the audit log as this caller may see it. Keys see no changes of keys, services and passwords.
   */
  async list({ principal }: Caller, query: ChangeQuery, scan: Scan): Promise<ChangePage> {
    const { applicationId, userId, managementKeyId, entityPath, createdAfter, createdBefore } = query;
    const search = new ChangeSearch(engineOf(this.config), {
      applicationId,
      userId,
      managementKeyId,
      entityPath,
      createdAfter: createdAfter === undefined ? undefined : readTime(createdAfter),
      createdBefore: createdBefore === undefined ? undefined : readTime(createdBefore),
      hidden: principal.kind === 'user',
      descending: query.sort === '-created',
    });
    const { ids, total } = await search.page(
      ({ sql, parameters }) => scan.inTurn(() => this.changes.query(sql, parameters) as Promise<unknown[]>),
      { skip: query.skip, pageSize: query.pageSize, count: query.withTotalResultSize },
    );
    return {
      ...(query.withTotalResultSize && { totalResultSize: total }),
      hasMore: ids.length > query.pageSize,
      data: await scan.inTurn(() =>
        this.read(ids.slice(0, query.pageSize), { old: query.includeOld, toKey: principal.kind === 'api-key' }),
      ),
    };
  }

  private async read(ids: readonly number[], shown: Shown): Promise<ChangeView[]> {
    if (ids.length === 0) {
      return [];
    }
    const rows = await this.changes.find({
      where: { id: In([...ids]) },
      select: {
        id: true,
        created: true,
        userId: true,
        applicationId: true,
        entity: true,
        old: shown.old,
        new: true,
        managementKeyId: true,
        actor: true,
        address: !shown.toKey,
      },
    });
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.flatMap((id) => {
      const row = byId.get(id);
      return row ? [changeView(row, shown)] : [];
    });
  }
}

/** Returns a change as the API shows it. */
function changeView(change: Change, shown: Shown): ChangeView {
  return {
    id: change.id,
    created: toRfc3339(change.created),
    userId: change.userId,
    actor: change.actor,
    ...(change.applicationId !== null && { applicationId: change.applicationId }),
    entity: change.entity,
    ...(shown.old && { old: oldView(change.old, shown) }),
    new: change.new === null ? null : { ...change.new },
    ...(change.managementKeyId !== null && { managementKeyId: change.managementKeyId }),
    ...(!shown.toKey && change.address !== null && { address: change.address }),
  };
}

function oldView(old: object | null, { toKey }: Shown): Record<string, unknown> | null {
  if (old === null) {
    return null;
  }
  const { endedKeys, ...rest }: Record<string, unknown> = { ...old };
  return toKey || endedKeys === undefined ? rest : { ...rest, endedKeys };
}
