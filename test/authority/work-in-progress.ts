import { setTimeout as sleep } from 'node:timers/promises';
import type { CouponPlace } from '../backoffice/coupon-fixtures.js';
import { HeldRequest, type WholeRequest } from '../support/held-request.js';
import { SlowReader } from '../support/slow-reader.js';

/** The promise is one second. Beside processes under continuous load, a busy machine may add more. */
const RESET_MS = 3000;
const BOUNDARY = 'work-boundary';

/** The work that a key has in progress when it ends: held bodies, an upload, and an export that is read slowly. */
export class WorkInProgress {
  private constructor(
    private readonly held: readonly HeldRequest[],
    private readonly behind: WholeRequest,
    private readonly reader: SlowReader | undefined,
  ) {}

  /**
   * Begins to create a campaign in an Application. If the key also opens a place with many coupons, it begins to import
   * coupons there and to export them. Each request goes to another process.
   */
  static async begin(
    urls: readonly string[],
    authorization: string,
    applicationId: number,
    large?: CouponPlace,
  ): Promise<WorkInProgress> {
    const first = Math.floor(Math.random() * urls.length);
    const urlOf = (index: number): string => urls[(first + index) % urls.length]!;
    const campaign: WholeRequest = {
      method: 'POST',
      path: `/v1/applications/${applicationId}/campaigns`,
      headers: [
        ['Authorization', authorization],
        ['Content-Type', 'application/json'],
      ],
      body: Buffer.from('{"name":"Too late"}'),
    };
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="upFile"; filename="a.csv"\r\n\r\n`;
    const upload = large && {
      method: 'POST',
      path: `${large.path}/import_coupons`,
      headers: [
        ['Authorization', authorization],
        ['Content-Type', `multipart/form-data; boundary=${BOUNDARY}`],
      ] as const,
      body: Buffer.from(`${head}value\nTOO-LATE\r\n--${BOUNDARY}--\r\n`),
    };
    const requests = upload ? [campaign, upload] : [campaign];
    const held = await Promise.all(requests.map((request, index) => HeldRequest.begin(urlOf(index), request)));
    const exportPath = large && `/v1/applications/${large.applicationId}/export_coupons`;
    const reader = exportPath && (await SlowReader.begin(urlOf(2), exportPath, authorization));
    return new WorkInProgress(held, campaign, reader || undefined);
  }

  /**
   * Finishes the held requests, and pipelines one more request after each. Resolves with every response that is not a
   * refusal.
   */
  async finish(): Promise<string[]> {
    const responses = (await Promise.all(this.held.map((request) => request.finish(this.behind)))).flat();
    return responses
      .filter(({ status }) => status !== 401 && status !== 403)
      .map(({ status, body }) => `a request in progress was answered ${status} ${body} after its end`);
  }

  /** Watches the export. Resolves with what is wrong about its end. */
  async watch(): Promise<string[]> {
    const { reader } = this;
    if (!reader) {
      return [];
    }
    const began = performance.now();
    while (reader.connection === 'established' && performance.now() - began < RESET_MS) {
      await sleep(20);
    }
    const afterMs = Math.round(performance.now() - began);
    const { connection } = reader;
    await reader.readOn();
    reader.drop();
    return connection === 'reset' && !reader.isComplete
      ? []
      : [`${afterMs} ms after its end, the connection of an export was ${connection}: ${reader.ending}`];
  }
}
