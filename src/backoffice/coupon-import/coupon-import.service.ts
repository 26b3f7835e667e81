import type { IncomingMessage } from 'node:http';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Caller } from '../../access/caller.js';
import { Transactions } from '../../authority/transactions.js';
import type { Write } from '../../authority/write.js';
import { responsibleUser } from '../../audit/responsible-user.js';
import { Clock } from '../../config/clock.js';
import { Config } from '../../config/config.js';
import { toRfc3339 } from '../../database/times.js';
import { Admission } from '../../admission/admission.js';
import { readFormPart } from '../../input/form-part.js';
import { Problem } from '../../problems/problem.js';
import { readUpload } from '../../input/upload.js';
import { CampaignsService } from '../campaigns/campaigns.service.js';
import { newBatchId } from '../coupons/coupon-batch.js';
import { readCouponFile } from './coupon-file.js';
import { CouponImportMetrics } from './coupon-import-metrics.js';
import { writeCoupons } from './coupon-import-writing.js';
import { CouponSpool } from './coupon-spool.js';
import { CouponTurns, takeImportTurn } from '../coupons/coupon-turns.js';
import { CouponImport } from '../coupons/coupon.entity.js';
import type { CouponImportView } from '../coupons/coupons.dto.js';

/** How long an upload may send nothing before it is aborted. */
const IDLE_MS = 30_000;
/** How long an import may continue to write after shutdown starts. After that, it is rolled back. */
const SHUTDOWN_WRITE_MS = 8_000;
/** From this number of coupons on, the commit of an import would delay other requests. */
const LARGE = 10_000;

/** The target and the options of an import. */
export interface ImportTarget {
  applicationId: number;
  campaignId: number;
  skipDuplicates: boolean;
}

/**
 * Imports coupon files, all or nothing, in two phases. First, the upload is received and checked row by row, without an
 * open transaction, so that a slow client blocks no other request. Then one transaction writes all coupons.
 */
@Injectable()
export class CouponImportService implements OnModuleDestroy {
  private readonly receiving = new AbortController();
  private readonly writing = new AbortController();
  private readonly admission: Admission;

  constructor(
    private readonly campaigns: CampaignsService,
    private readonly transactions: Transactions,
    private readonly turns: CouponTurns,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly metrics: CouponImportMetrics,
  ) {
    const max = config.IMPORTS_CONCURRENT_MAX;
    const ownerMax = Math.max(1, Math.floor(max / 2));
    this.admission = new Admission({ what: 'imports', max, ownerMax, retryAfterSeconds: 10 });
  }

  /**
   * Imports the file that a request uploads. Throws `campaign-not-found`, `import-invalid` with the faults of the file,
   * `coupon-exists` with the lines of codes that are taken, `too-busy`, and the problems of uploads.
   */
  import(caller: Caller, target: ImportTarget, request: IncomingMessage): Promise<CouponImportView> {
    return this.metrics.count(() => this.importInPhases(caller, target, request));
  }

  /** Aborts uploads, and lets writes finish if they are almost done. */
  onModuleDestroy(): void {
    const problem = new Problem('shutting-down', 'Nothing was imported.');
    this.receiving.abort(problem);
    setTimeout(() => this.writing.abort(problem), SHUTDOWN_WRITE_MS).unref();
  }

  private async importInPhases(
    caller: Caller,
    target: ImportTarget,
    request: IncomingMessage,
  ): Promise<CouponImportView> {
    this.receiving.signal.throwIfAborted();
    return this.admission.admitFor(responsibleUser(caller.principal), async () => {
      await this.campaigns.get(target.applicationId, target.campaignId);
      const spool = await CouponSpool.create();
      try {
        await this.metrics.during('receiving', () => this.receive(caller, request, spool));
        return await this.turns.importing(target, () =>
          this.metrics.during('writing', () => this.write(caller, target, spool)),
        );
      } finally {
        await spool.close();
      }
    });
  }

  private async receive(caller: Caller, request: IncomingMessage, spool: CouponSpool): Promise<void> {
    const signal = AbortSignal.any([this.receiving.signal, caller.lost]);
    const bytes = readUpload(request, { idleMs: IDLE_MS, signal });
    try {
      const file = readFormPart(request.headers['content-type'], bytes, {
        name: 'upFile',
        bytesMax: this.config.UPLOAD_BYTES_MAX,
      });
      const faults = await readCouponFile(file, ({ coupon, line }) => spool.append(coupon, line));
      const [first] = faults;
      if (first) {
        throw new Problem('import-invalid', `Line ${first.line}: ${first.detail}.`, { errors: faults });
      }
      await spool.flush();
    } finally {
      // Not awaited, because it may wait for the network.
      void bytes.return(undefined);
    }
    // Ignores data after the form.
    request.resume();
  }

  private write(caller: Caller, target: ImportTarget, spool: CouponSpool): Promise<CouponImportView> {
    const large = spool.size >= LARGE;
    return this.transactions.write(caller, (write) => this.writeIn(write, caller, target, spool), { large });
  }

  private async writeIn(
    write: Write,
    caller: Caller,
    target: ImportTarget,
    spool: CouponSpool,
  ): Promise<CouponImportView> {
    const { tx } = write;
    const { signal } = this.writing;
    const { applicationId, campaignId, skipDuplicates } = target;
    await takeImportTurn(write, target);
    const created = this.clock.now();
    const userId = responsibleUser(caller.principal);
    await this.campaigns.hold(tx, applicationId, campaignId);
    const { identifiers } = await tx.insert(CouponImport, { created, campaignId, userId, amount: 0 });
    const id = identifiers[0]!.id as number;
    const batch = { applicationId, campaignId, created, importId: id, batchId: newBatchId() };
    const amount = await writeCoupons(write, batch, spool, { skipDuplicates, signal });
    await tx.update(CouponImport, { id }, { amount });
    write.record({
      entity: `POST /v1/applications/${applicationId}/campaigns/${campaignId}/import_coupons`,
      applicationId,
      new: { importId: id, batchId: batch.batchId, coupons: amount },
    });
    return { id, created: toRfc3339(created), accountId: 1, userId, entity: 'Coupon', amount };
  }
}
