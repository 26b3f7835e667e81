import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { engineIn } from '../../database/data-source.js';
import { containing, fold } from '../../database/fold.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { readTime } from '../../input/fields/rfc3339.js';
import { readSort } from '../../input/sorting.js';
import { Campaign } from './campaign.entity.js';
import type { CampaignQuery } from './campaign-list.dto.js';
import type { CampaignNow } from './campaign-view.js';
import { type CampaignStateFilter, FRONTEND_STATE_SQL, type FrontendState } from './frontend-state.js';

const COLUMNS = {
  id: 'id',
  name: 'nameKey',
  created: 'created',
  updated: 'updated',
  startTime: 'startTime',
  endTime: 'endTime',
} as const;

/** Selects campaigns with their state at a moment, without those that are being deleted. */
function campaignsAt(
  source: ReadRepository<Campaign> | EntityManager,
  applicationId: number,
  now: number,
): SelectQueryBuilder<Campaign> {
  const find =
    'dataSource' in source ? source.createQueryBuilder(Campaign, 'campaign') : source.createQueryBuilder('campaign');
  return find
    .addSelect(FRONTEND_STATE_SQL, 'frontend_state')
    .where('campaign.applicationId = :applicationId AND campaign.beingDeleted = :no', {
      applicationId,
      now,
      no: false,
    });
}

async function readAll(find: SelectQueryBuilder<Campaign>): Promise<CampaignNow[]> {
  const { entities, raw } = await find.getRawAndEntities<{ frontend_state: FrontendState }>();
  return entities.map((campaign, place) => ({ campaign, frontendState: raw[place]!.frontend_state }));
}

/** Finds a campaign of an Application. In a transaction, it may be locked. */
export async function findCampaign(
  source: ReadRepository<Campaign> | EntityManager,
  { applicationId, campaignId, now }: { applicationId: number; campaignId: number; now: number },
  lock?: 'pessimistic_read' | 'pessimistic_write',
): Promise<CampaignNow | undefined> {
  const find = campaignsAt(source, applicationId, now).andWhere('campaign.id = :campaignId', { campaignId });
  if (lock !== undefined && engineIn(find) === 'mysql') {
    find.setLock(lock);
  }
  const [found] = await readAll(find);
  return found;
}

/** Finds one page of an Application's campaigns, and counts all matching ones. */
export async function listCampaigns(
  campaigns: ReadRepository<Campaign>,
  applicationId: number,
  query: CampaignQuery,
  now: number,
): Promise<{ totalResultSize: number; data: CampaignNow[] }> {
  const find = campaignsAt(campaigns, applicationId, now);
  narrowByState(find, query.campaignState, now);
  if (query.campaignGroupId !== undefined || query.templateId !== undefined) {
    find.andWhere('1 = 0');
  }
  narrowByText(find, query);
  narrowByTimes(find, query);
  const totalResultSize = await find.getCount();
  const { column, direction } = readSort(query.sort, COLUMNS);
  find.orderBy(`campaign.${column}`, direction);
  if (column !== 'id') {
    find.addOrderBy('campaign.id', direction);
  }
  return { totalResultSize, data: await readAll(find.offset(query.skip).limit(query.pageSize)) };
}

/** Selects only the campaigns that are in a state at a moment. */
export function narrowByState(
  find: SelectQueryBuilder<Campaign>,
  campaignState: CampaignStateFilter | undefined,
  now: number,
): void {
  if (campaignState === 'enabled') {
    find.andWhere('campaign.state = :campaignState', { campaignState });
  } else if (campaignState !== undefined) {
    find.andWhere(`${FRONTEND_STATE_SQL} = :campaignState`, { campaignState, now });
  }
}

function narrowByText(find: SelectQueryBuilder<Campaign>, { name, tags }: CampaignQuery): void {
  const either = [
    ...(name === undefined ? [] : ["campaign.nameKey LIKE :name ESCAPE '!'"]),
    ...(tags === undefined ? [] : ["campaign.tagsKey LIKE :tags ESCAPE '!'"]),
  ];
  if (either.length > 0) {
    find.andWhere(`(${either.join(' OR ')})`, {
      name: name === undefined ? undefined : containing(fold(name)),
      tags: tags === undefined ? undefined : containing(fold(tags)),
    });
  }
}

function narrowByTimes(find: SelectQueryBuilder<Campaign>, query: CampaignQuery): void {
  const bounds = {
    createdBefore: 'campaign.created < :createdBefore',
    createdAfter: 'campaign.created > :createdAfter',
    startBefore: 'campaign.startTime < :startBefore',
    startAfter: 'campaign.startTime > :startAfter',
    endBefore: 'campaign.endTime < :endBefore',
    endAfter: 'campaign.endTime > :endAfter',
  } as const;
  for (const [name, condition] of Object.entries(bounds)) {
    const time = query[name as keyof typeof bounds];
    if (time !== undefined) {
      find.andWhere(condition, { [name]: readTime(time) });
    }
  }
}
