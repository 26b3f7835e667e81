import { Campaign } from '../../src/backoffice/campaigns/campaign.entity.js';
import { insertCoupons, INSERTION_SIZE } from '../../src/backoffice/coupons/coupon-insertion.js';
import { Coupon } from '../../src/backoffice/coupons/coupon.entity.js';
import { DEFAULT_TERMS } from '../../src/backoffice/coupons/new-coupon.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import type { ProblemBody } from '../support/client.js';
import { until } from './coupon-fixtures.js';
import { size } from '../support/size.js';
import { createApplication } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { runSql } from '../support/sql.js';

/** More coupons than are deleted before another request is served. */
const MANY = size('scale', 12_000, 30_000);

describe('the deletion of a campaign', () => {
  let latchkey: Latchkey;
  let applicationId: number;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());
  beforeEach(async () => {
    applicationId = await createApplication(latchkey.admin);
  });

  const path = (id: number): string => `/v1/applications/${applicationId}/campaigns/${id}`;

  /** Creates a campaign with `coupons` coupons. */
  async function make(coupons: number): Promise<number> {
    const { body } = await latchkey.admin.post<{ id: number }>(`/v1/applications/${applicationId}/campaigns`, {
      name: 'To go',
    });
    const batch = { applicationId, campaignId: body.id, created: 0, importId: null, batchId: 'made by the test' };
    const values = Array.from({ length: coupons }, (_, number) => `code-${body.id}-${number}`);
    await latchkey.get(TransactionRunner).inTransaction(async (tx) => {
      for (let start = 0; start < coupons; start += INSERTION_SIZE) {
        const rows = values.slice(start, start + INSERTION_SIZE).map((value) => ({ ...DEFAULT_TERMS, value }));
        await insertCoupons(tx, batch, rows, 'refuse');
      }
    });
    return body.id;
  }

  const couponsLeft = (campaignId: number): Promise<number> =>
    latchkey.get(TransactionRunner).inTransaction((tx) => tx.countBy(Coupon, { campaignId }));
  const rowIsLeft = (id: number): Promise<boolean> =>
    latchkey.get(TransactionRunner).inTransaction((tx) => tx.existsBy(Campaign, { id }));

  /** Prevents the deletion of the coupons of a campaign. */
  const refuseDeletionsFrom = (campaignId: number): Promise<unknown> =>
    runSql(
      latchkey.database,
      latchkey.database.engine === 'mysql'
        ? `CREATE TRIGGER no_deletion BEFORE DELETE ON coupons FOR EACH ROW
             BEGIN IF OLD.campaign_id = ${campaignId} THEN SIGNAL SQLSTATE '45000'; END IF; END`
        : `CREATE TRIGGER no_deletion BEFORE DELETE ON coupons WHEN OLD.campaign_id = ${campaignId}
             BEGIN SELECT RAISE(ABORT, 'no deletion'); END`,
    );

  /** Leaves a campaign as a process does that dies in the middle of its deletion. */
  const mark = (id: number): Promise<unknown> =>
    latchkey.get(TransactionRunner).inTransaction((tx) => tx.update(Campaign, { id }, { beingDeleted: true }));

  async function entries(id: number): Promise<{ old: Record<string, unknown> }[]> {
    const { body } = await latchkey.admin.get<{ data: { entity: string; old: Record<string, unknown> }[] }>(
      `/v1/changes?applicationId=${applicationId}&pageSize=1000`,
    );
    return body.data.filter(({ entity }) => entity === `DELETE ${path(id)}`);
  }

  test('deletes its coupons, and those of no other campaign', async () => {
    const [other, id] = [await make(10), await make(2500)];
    expect((await latchkey.admin.delete(path(id))).status).toBe(204);
    expect([await couponsLeft(id), await rowIsLeft(id), await couponsLeft(other)]).toEqual([0, false, 10]);
    expect((await entries(id)).map(({ old }) => old)).toEqual([expect.objectContaining({ id, coupons: 2500 })]);
    expect((await latchkey.admin.get(path(other))).status).toBe(200);
  });

  test.each([0, 1, 999, 1000, 1001])('is whole with %d coupons', async (coupons) => {
    const id = await make(coupons);
    expect((await latchkey.admin.delete(path(id))).status).toBe(204);
    expect([await couponsLeft(id), await rowIsLeft(id)]).toEqual([0, false]);
    expect((await latchkey.admin.delete(path(id))).status).toBe(404);
  });

  test('asked for twice at once happens once', async () => {
    const id = await make(1500);
    const answers = await Promise.all([latchkey.admin.delete(path(id)), latchkey.admin.delete(path(id))]);
    // The later deletion finds the campaign being deleted, or gone.
    const [first, second] = answers.map(({ status }) => status).sort();
    expect(first).toBe(204);
    expect([204, 404]).toContain(second);
    expect(await entries(id)).toHaveLength(1);
    expect(await couponsLeft(id)).toBe(0);
  });

  test('lets others read and write in between', async () => {
    const [other, id] = [await make(0), await make(MANY)];
    let deleting = true;
    const deletion = latchkey.admin.delete(path(id)).finally(() => (deleting = false));
    let served = 0;
    while (deleting) {
      expect((await latchkey.admin.put(path(other), { name: `Change ${served}` })).status).toBe(200);
      expect((await latchkey.admin.get(`${path(other)}/coupons/no_total`)).status).toBe(200);
      served += 1;
    }
    expect((await deletion).status).toBe(204);
    // A deletion in one transaction would block the first of these requests until its end, and no other would begin.
    expect(served).toBeGreaterThanOrEqual(3);
  });

  test('leaves nothing of what is put into the campaign at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await make(1200);
      const [deletion, ...others] = await Promise.all([
        latchkey.admin.delete(path(id)),
        latchkey.admin.post(`${path(id)}/coupons`, { usageLimit: 1, numberOfCoupons: 50, couponPattern: '##########' }),
        latchkey.admin.put(path(id), { name: 'Still here' }),
      ]);
      expect(deletion.status).toBe(204);
      others.forEach(({ status }) => expect([200, 404]).toContain(status));
      expect([await couponsLeft(id), await rowIsLeft(id)]).toEqual([0, false]);
    }
  });

  test('hides the campaign at once: it is not found, and nothing can be added to it', async () => {
    const [other, id] = [await make(0), await make(3)];
    const { body: campaign } = await latchkey.admin.get(path(id));
    await mark(id);
    const upload = new FormData();
    upload.set('upFile', 'value\nnew-code\n');
    const generated = { usageLimit: 1, numberOfCoupons: 1, couponPattern: '##########' };
    for (const answer of [
      await latchkey.admin.get<ProblemBody>(path(id)),
      await latchkey.admin.put<ProblemBody>(path(id), { name: 'Back' }),
      await latchkey.admin.get<ProblemBody>(`${path(id)}/coupons/no_total`),
      await latchkey.admin.post<ProblemBody>(`${path(id)}/coupons`, generated),
      await latchkey.admin.delete<ProblemBody>(`${path(id)}/coupons`),
      await latchkey.admin.send<ProblemBody>('POST', `${path(id)}/import_coupons`, upload),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([404, 'campaign-not-found']);
    }
    const { body: list } = await latchkey.admin.get<{ totalResultSize: number; data: { id: number }[] }>(
      `/v1/applications/${applicationId}/campaigns`,
    );
    expect([list.totalResultSize, list.data.map((row) => row.id)]).toEqual([1, [other]]);
    expect(list.data).not.toContainEqual(campaign);
    expect(await couponsLeft(id)).toBe(3);
  });

  test('keeps the Application from being deleted until it is at its end', async () => {
    const id = await make(3);
    await mark(id);
    const refused = await latchkey.admin.delete<ProblemBody>(`/v1/applications/${applicationId}`);
    expect([refused.status, refused.body.code]).toEqual([409, 'application-in-use']);
    await latchkey.admin.delete(path(id));
    expect((await latchkey.admin.delete(`/v1/applications/${applicationId}`)).status).toBe(204);
  });

  test('that was cut off goes on when it is asked for again, and is recorded once', async () => {
    const id = await make(1500);
    await mark(id);
    const elsewhere = await createApplication(latchkey.admin);
    expect((await latchkey.admin.delete(`/v1/applications/${elsewhere}/campaigns/${id}`)).status).toBe(404);
    expect(await couponsLeft(id)).toBe(1500);
    expect((await latchkey.admin.delete(path(id))).status).toBe(204);
    expect([await couponsLeft(id), await rowIsLeft(id)]).toEqual([0, false]);
    expect(await entries(id)).toHaveLength(0);
  });

  test('that was cut off is ended by the next process that starts', async () => {
    const [first, second] = [await make(1500), await make(1)];
    await mark(first);
    await mark(second);
    const replica = await startLatchkey({}, { original: latchkey });
    for (const id of [first, second]) {
      await until('it has ended that one', async () => !(await rowIsLeft(id)));
      expect(await couponsLeft(id)).toBe(0);
    }
    await replica.close();
  });

  test('that cannot be ended does not keep the others from it, and is told in the log', async () => {
    const [first, second] = [await make(3), await make(3)];
    await mark(first);
    await mark(second);
    await refuseDeletionsFrom(first);
    const replica = await startLatchkey({}, { original: latchkey });
    await until('the other campaign is gone', async () => !(await rowIsLeft(second)));
    await until('it is told', () => replica.log().includes(`campaign ${first}`));
    await replica.close();
    expect([await couponsLeft(first), await rowIsLeft(first)]).toEqual([3, true]);
    await runSql(latchkey.database, 'DROP TRIGGER no_deletion');
    expect((await latchkey.admin.delete(path(first))).status).toBe(204);
  });

  test('stops between two batches when its process is told to end, and goes on elsewhere', async () => {
    const id = await make(MANY);
    const replica = await startLatchkey({}, { original: latchkey });
    const deletion = replica.admin.delete<ProblemBody>(path(id));
    await until('it has begun', async () => (await latchkey.admin.get(path(id))).status === 404);
    await replica.close();
    const { status, body } = await deletion;
    expect([status, body.code]).toEqual([503, 'shutting-down']);
    expect(await couponsLeft(id)).toBeGreaterThan(0);
    expect((await latchkey.admin.delete(path(id))).status).toBe(204);
    expect([await couponsLeft(id), await rowIsLeft(id)]).toEqual([0, false]);
    expect(await entries(id)).toHaveLength(1);
  }, 60_000);
});
