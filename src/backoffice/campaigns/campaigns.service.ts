import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../../access/caller.js';
import { ApplicationsService } from '../../applications/applications.service.js';
import { Transactions } from '../../authority/transactions.js';
import { differs } from '../../audit/differs.js';
import { responsibleUser } from '../../audit/responsible-user.js';
import { Clock } from '../../config/clock.js';
import { ForeignKeyViolation } from '../../database/driver-errors.js';
import { fold } from '../../database/fold.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { validationFailed } from '../../problems/validation-failed.js';
import { Problem } from '../../problems/problem.js';
import { readTime } from '../../input/fields/rfc3339.js';
import type { CampaignQuery } from './campaign-list.dto.js';
import { findCampaign, listCampaigns } from './campaign-reading.js';
import { campaignView, type CampaignNow } from './campaign-view.js';
import { Campaign } from './campaign.entity.js';
import type { CampaignPage, CampaignRequest, CampaignView } from './campaigns.dto.js';

/** Creates, changes and finds campaigns. `CampaignDeletion` deletes them. */
@Injectable()
export class CampaignsService {
  constructor(
    @InjectRepository(Campaign) private readonly campaigns: ReadRepository<Campaign>,
    private readonly applications: ApplicationsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Returns a campaign of an Application. Throws `campaign-not-found`, also while it is being deleted. */
  async get(applicationId: number, campaignId: number): Promise<Campaign> {
    const { campaign } = await this.read(applicationId, campaignId);
    return campaign;
  }

  /**
   * Holds a shared lock on a campaign until the transaction ends, so that it is not deleted meanwhile. Requests that
   * add something to a campaign hold it. Throws `campaign-not-found`, also while it is being deleted.
   */
  async hold(tx: EntityManager, applicationId: number, campaignId: number): Promise<Campaign> {
    const place = { applicationId, campaignId, now: this.clock.now() };
    const { campaign } = orNotFound(await findCampaign(tx, place, 'pessimistic_read'), place);
    return campaign;
  }

  /** Returns a campaign as the API shows it. Throws `campaign-not-found`. */
  async show(applicationId: number, campaignId: number): Promise<CampaignView> {
    return campaignView(await this.read(applicationId, campaignId));
  }

  /** Returns one page of an Application's campaigns. Throws `application-not-found`. */
  async list(applicationId: number, query: CampaignQuery): Promise<CampaignPage> {
    await this.applications.get(applicationId);
    const { totalResultSize, data } = await listCampaigns(this.campaigns, applicationId, query, this.clock.now());
    return { totalResultSize, data: data.map(campaignView) };
  }

  /** Creates a campaign. Throws `application-not-found`. */
  async create(caller: Caller, applicationId: number, request: CampaignRequest): Promise<CampaignView> {
    const now = this.clock.now();
    const userId = responsibleUser(caller.principal);
    const row: Omit<Campaign, 'id'> = {
      created: now,
      applicationId,
      userId,
      description: '',
      startTime: null,
      endTime: null,
      attributes: {},
      state: 'enabled',
      tags: [],
      tagsKey: '',
      reevaluateOnReturn: false,
      features: [],
      limits: [],
      beingDeleted: false,
      updated: now,
      updatedBy: userId,
      ...given(request),
    };
    refuseWrongTimes(row);
    try {
      return await this.transactions.write(caller, async (write) => {
        const { tx } = write;
        const { identifiers } = await tx.insert(Campaign, { ...row });
        const campaignId = identifiers[0]!.id as number;
        const place = { applicationId, campaignId, now };
        const view = campaignView(orNotFound(await findCampaign(tx, place), place));
        const entity = `POST /v1/applications/${applicationId}/campaigns`;
        write.record({ entity, applicationId, new: { ...view } });
        return view;
      });
    } catch (error) {
      if (error instanceof ForeignKeyViolation) {
        throw new Problem('application-not-found', `There is no Application ${applicationId}.`);
      }
      throw error;
    }
  }

  /** Changes the fields that the request names. Throws `campaign-not-found`. */
  async update(
    caller: Caller,
    applicationId: number,
    campaignId: number,
    request: CampaignRequest,
  ): Promise<CampaignView> {
    const now = this.clock.now();
    const place = { applicationId, campaignId, now };
    const changes = given(request);
    return this.transactions.write(caller, async (write) => {
      const { tx } = write;
      const before = orNotFound(await findCampaign(tx, place, 'pessimistic_write'), place);
      refuseWrongTimes({ ...before.campaign, ...changes });
      if (!differs(before.campaign, changes)) {
        return campaignView(before);
      }
      await tx.update(
        Campaign,
        { id: campaignId },
        { ...changes, updated: now, updatedBy: responsibleUser(caller.principal) },
      );
      const view = campaignView(orNotFound(await findCampaign(tx, place), place));
      const entity = `PUT /v1/applications/${applicationId}/campaigns/${campaignId}`;
      write.record({ entity, applicationId, old: { ...campaignView(before) }, new: { ...view } });
      return view;
    });
  }

  private async read(applicationId: number, campaignId: number): Promise<CampaignNow> {
    const place = { applicationId, campaignId, now: this.clock.now() };
    return orNotFound(await findCampaign(this.campaigns, place), place);
  }
}

/** Returns the campaign, or throws the problem that it does not exist. */
export function orNotFound(
  found: CampaignNow | undefined,
  { applicationId, campaignId }: { applicationId: number; campaignId: number },
): CampaignNow {
  if (!found) {
    throw new Problem('campaign-not-found', `There is no campaign ${campaignId} in Application ${applicationId}.`);
  }
  return found;
}

/** Returns the columns that a request sets. */
function given(request: CampaignRequest) {
  const { name, description, startTime, endTime, attributes, state, tags, reevaluateOnReturn, features, limits } =
    request;
  return {
    name,
    nameKey: fold(name),
    ...(description !== undefined && { description }),
    ...(startTime !== undefined && { startTime: startTime === null ? null : readTime(startTime) }),
    ...(endTime !== undefined && { endTime: endTime === null ? null : readTime(endTime) }),
    ...(attributes !== undefined && { attributes }),
    ...(state !== undefined && { state }),
    ...(tags !== undefined && { tags, tagsKey: tags.map(fold).join('\n') }),
    ...(reevaluateOnReturn !== undefined && { reevaluateOnReturn }),
    ...(features !== undefined && { features }),
    ...(limits !== undefined && { limits }),
  };
}

function refuseWrongTimes({ startTime, endTime }: Pick<Campaign, 'startTime' | 'endTime'>): void {
  if (startTime !== null && endTime !== null && startTime >= endTime) {
    throw validationFailed([{ pointer: '/endTime', detail: 'endTime must be after startTime' }]);
  }
}
