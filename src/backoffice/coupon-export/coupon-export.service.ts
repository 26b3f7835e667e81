import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { stringify } from 'csv-stringify/sync';
import type { Response } from 'express';
import type { Caller } from '../../access/caller.js';
import { AuthorityWatch } from '../../authority/authority-watch.js';
import { Transactions } from '../../authority/transactions.js';
import { ApplicationsService } from '../../applications/applications.service.js';
import { Clock } from '../../config/clock.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import { toRfc3339 } from '../../database/times.js';
import { Campaign } from '../campaigns/campaign.entity.js';
import { CampaignsService } from '../campaigns/campaigns.service.js';
import { COUPON_COLUMNS, writeRow } from './coupon-cells.js';
import { findExportedCampaigns } from './exported-campaigns.js';
import { guard } from './formula-guard.js';
import { selectCoupons } from '../coupons/coupon-selection.js';
import { walkCoupons } from '../coupons/coupon-walk.js';
import { Coupon } from '../coupons/coupon.entity.js';
import type { CouponExportQuery } from '../coupons/coupon-filters.dto.js';

/** How many coupons are in memory at once, with their attributes. */
const CHUNK = 250;

const HEADER = [...COUPON_COLUMNS, 'id', 'created', 'campaignid', 'batchid', 'counter'];

interface Row {
  id: number;
  created: number | string;
  campaignId: number;
  value: string;
  usageLimit: number;
  usageCounter: number;
  discountLimit: number | null;
  reservationLimit: number | null;
  startDate: number | string | null;
  expiryDate: number | string | null;
  attributes: string;
  recipientIntegrationId: string | null;
  batchId: string | null;
  isReservationMandatory: number;
}

/** The columns as they are stored: attributes are not parsed, because they are written unchanged. */
const ROWS = `SELECT id AS id, created AS created, campaign_id AS campaignId, value AS value, usage_limit AS usageLimit,
  usage_counter AS usageCounter, discount_limit AS discountLimit, reservation_limit AS reservationLimit,
  start_date AS startDate, expiry_date AS expiryDate, attributes AS attributes,
  recipient_integration_id AS recipientIntegrationId, batch_id AS batchId,
  is_reservation_mandatory AS isReservationMandatory
  FROM coupons WHERE id IN`;

/** Writes coupons as CSV that can be imported again. It writes only as fast as the client reads. */
@Injectable()
export class CouponExportService {
  constructor(
    @InjectRepository(Coupon) private readonly coupons: ReadRepository<Coupon>,
    @InjectRepository(Campaign) private readonly campaigns: ReadRepository<Campaign>,
    private readonly applications: ApplicationsService,
    private readonly campaignsService: CampaignsService,
    private readonly transactions: Transactions,
    private readonly watch: AuthorityWatch,
    private readonly clock: Clock,
  ) {}

  /** Sends the coupons of an Application. Throws `application-not-found` and `campaign-not-found`. */
  async export(
    caller: Caller,
    applicationId: number,
    query: CouponExportQuery,
    scan: Scan,
    response: Response,
  ): Promise<void> {
    const now = this.clock.now();
    await this.applications.get(applicationId);
    if (query.campaignId !== undefined) {
      await this.campaignsService.get(applicationId, query.campaignId);
    }
    // If no turn is available, the export must be refused here, before the response starts.
    const campaignIds = await scan.inTurn(() => findExportedCampaigns(this.campaigns, applicationId, query, now));
    response.setHeader('Content-Type', 'application/csv; charset=utf-8');
    response.setHeader('Content-Disposition', 'attachment; filename="coupons.csv"');
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    await this.record(caller, applicationId, query);
    try {
      const chunks = this.chunks(applicationId, campaignIds, query, now, scan);
      await pipeline(Readable.from(this.watch.whileAuthorized(caller, chunks)), response);
    } catch (error) {
      // A client that disconnects needs no response.
      if (!isPrematureClose(error)) {
        throw error;
      }
    }
  }

  /** Records the export before any data is sent. */
  private record(caller: Caller, applicationId: number, query: CouponExportQuery): Promise<void> {
    return this.transactions.write(caller, (write) => {
      write.record({
        entity: `GET /v1/applications/${applicationId}/export_coupons`,
        applicationId,
        new: { filters: { ...query } },
      });
      return Promise.resolve();
    });
  }

  private async *chunks(
    applicationId: number,
    campaignIds: number[],
    query: CouponExportQuery,
    now: number,
    scan: Scan,
  ): AsyncGenerator<string> {
    const direction = query.sort === 'id' ? 'ascending' : 'descending';
    const toCells = query.valuesOnly === 'true' ? (row: Row) => [guard(row.value)] : cellsOf;
    yield toCsv([query.valuesOnly === 'true' ? ['value'] : HEADER]);
    for (const campaignId of direction === 'ascending' ? campaignIds : campaignIds.toReversed()) {
      const selection = selectCoupons({ applicationId, campaignId }, query, now);
      for await (const ids of walkCoupons({ coupons: this.coupons, scan }, selection, direction)) {
        for (let start = 0; start < ids.length; start += CHUNK) {
          const rows = await scan.inTurn(() => this.read(ids.slice(start, start + CHUNK), direction));
          yield toCsv(rows.map(toCells));
        }
      }
    }
  }

  private async read(ids: number[], direction: 'ascending' | 'descending'): Promise<Row[]> {
    const order = direction === 'ascending' ? 'ASC' : 'DESC';
    return (await this.coupons.query(`${ROWS} (${ids.map(() => '?').join(', ')}) ORDER BY id ${order}`, ids)) as Row[];
  }
}

function cellsOf(row: Row): string[] {
  const coupon = {
    ...row,
    startDate: row.startDate === null ? null : Number(row.startDate),
    expiryDate: row.expiryDate === null ? null : Number(row.expiryDate),
    isReservationMandatory: Number(row.isReservationMandatory) === 1,
  };
  const { id, created, campaignId, batchId, usageCounter } = row;
  return [
    ...writeRow(coupon),
    String(id),
    toRfc3339(Number(created)),
    String(campaignId),
    batchId ?? '',
    String(usageCounter),
  ];
}

/** Also quotes cells with white space at the start or end, because some parsers would trim it. */
function toCsv(rows: string[][]): string {
  return stringify(rows, { quoted_match: /^\s|\s$|[\r\n]/ });
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
