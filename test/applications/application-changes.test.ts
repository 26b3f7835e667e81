import type { ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Application, SHOP, startForApplications } from './application-fixtures.js';

const { latchkey, create, update, changesOf } = await startForApplications();
afterAll(() => latchkey.close());

describe('changes of Applications', () => {
  describe('an update', () => {
    test('keeps the values of omitted fields, and sets the time of the change', async () => {
      const { body: created } = await create({ ...SHOP, name: 'Changing', description: 'd', attributes: { a: 1 } });
      latchkey.clock.advance(1000);
      const { status, body } = await update(created.id, { currency: 'CHF' });
      expect(status).toBe(200);
      expect(body).toEqual({ ...created, currency: 'CHF', modified: '2026-11-23T12:00:01.000Z' });
      expect((await update(created.id, { attributes: {}, description: '' })).body).toMatchObject({
        attributes: {},
        description: '',
        currency: 'CHF',
      });
    });

    test('with the current values writes nothing, not even to the audit log', async () => {
      const { body: created } = await create({
        ...SHOP,
        name: 'Unmoved',
        description: 'd',
        attributes: { a: [1], b: {} },
      });
      latchkey.clock.advance(1000);
      const { name, description, timezone, currency } = created;
      for (const body of [{}, { currency }, { name, description, timezone, currency, attributes: { b: {}, a: [1] } }]) {
        const answer = await update(created.id, body);
        expect([answer.status, answer.body]).toEqual([200, created]);
      }
      expect((await latchkey.admin.get(`/v1/applications/${created.id}`)).body).toEqual(created);
      expect((await changesOf(created.id)).map(({ entity }) => entity)).toEqual(['POST /v1/applications']);
    });

    test('with one invalid field changes nothing', async () => {
      const id = await createApplication(latchkey.admin, 'Steady');
      expect((await update(id, { name: 'Unsteady', currency: 'eur' })).status).toBe(400);
      expect((await latchkey.admin.get<Application>(`/v1/applications/${id}`)).body.name).toBe('Steady');
    });
  });

  describe('a deletion', () => {
    test('is permanent: the Application is not found any more', async () => {
      const id = await createApplication(latchkey.admin);
      expect((await latchkey.admin.delete(`/v1/applications/${id}`)).status).toBe(204);
      expect((await latchkey.admin.get(`/v1/applications/${id}`)).status).toBe(404);
      expect((await latchkey.admin.delete(`/v1/applications/${id}`)).status).toBe(404);
    });

    test('is refused while the Application has campaigns, and deletes none of them', async () => {
      const id = await createApplication(latchkey.admin);
      const { body: campaign } = await latchkey.admin.post<{ id: number }>(`/v1/applications/${id}/campaigns`, {
        name: 'Holding on',
      });
      const refused = await latchkey.admin.delete<ProblemBody>(`/v1/applications/${id}`);
      expect([refused.status, refused.body.code]).toEqual([409, 'application-in-use']);
      expect((await latchkey.admin.get(`/v1/applications/${id}/campaigns/${campaign.id}`)).status).toBe(200);
      expect((await changesOf(id)).map(({ entity }) => entity)).not.toContain(`DELETE /v1/applications/${id}`);
      await latchkey.admin.delete(`/v1/applications/${id}/campaigns/${campaign.id}`);
      expect((await latchkey.admin.delete(`/v1/applications/${id}`)).status).toBe(204);
    });

    test('that races with the creation of a campaign succeeds exactly if the creation fails', async () => {
      for (let round = 0; round < 5; round += 1) {
        const id = await createApplication(latchkey.admin);
        const [deletion, creation] = await Promise.all([
          latchkey.admin.delete(`/v1/applications/${id}`),
          latchkey.admin.post(`/v1/applications/${id}/campaigns`, { name: 'Racing' }),
        ]);
        expect([
          [204, 404],
          [409, 201],
        ]).toContainEqual([deletion.status, creation.status]);
      }
    });

    test('removes the Application from keys that are limited to it, and widens none of them', async () => {
      const [first, second, other] = [
        await createApplication(latchkey.admin),
        await createApplication(latchkey.admin),
        await createApplication(latchkey.admin),
      ];
      const key = await createKey(latchkey.admin, { allowedApplicationIds: [first, second], endpoints: [CAMPAIGNS] });
      const caller = latchkey.as(`ManagementKey-v1 ${key.key}`);
      const view = async (): Promise<MadeKey> => (await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`)).body;
      const use = async (id: number): Promise<unknown[]> => {
        const answer = await caller.get<ProblemBody>(`/v1/applications/${id}/campaigns`);
        return [answer.status, answer.body.code];
      };

      await latchkey.admin.delete(`/v1/applications/${first}`);
      expect(await view()).toMatchObject({ allowedApplicationIds: [second], allApplications: false, state: 'valid' });
      expect(await use(first)).toEqual([403, 'application-not-allowed']);
      expect(await use(second)).toEqual([200, undefined]);
      expect(await use(other)).toEqual([403, 'application-not-allowed']);

      await latchkey.admin.delete(`/v1/applications/${second}`);
      expect(await view()).toMatchObject({ allowedApplicationIds: [], allApplications: false, state: 'invalid' });
      for (const id of [first, second, other]) {
        expect(await use(id)).toEqual([401, 'no-application-left']);
      }
    });
  });

  test('the audit log has every change, with the values before and after', async () => {
    const { body: created } = await create({ ...SHOP, name: 'Audited' });
    const { body: changed } = await update(created.id, { name: 'Audited twice' });
    await latchkey.admin.delete(`/v1/applications/${created.id}`);
    const { id } = created;
    expect(await changesOf(id)).toEqual([
      expect.objectContaining({
        entity: 'POST /v1/applications',
        userId: 1,
        applicationId: id,
        old: null,
        new: created,
      }),
      expect.objectContaining({ entity: `PUT /v1/applications/${id}`, applicationId: id, old: created, new: changed }),
      expect.objectContaining({ entity: `DELETE /v1/applications/${id}`, applicationId: id, old: changed, new: null }),
    ]);
  });
});
