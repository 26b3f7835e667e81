import * as classValidator from 'class-validator';
import { Config } from '../../src/config/config.js';
import { DETAILS } from '../../src/input/fault-details.js';
import type { ProblemBody } from '../support/client.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

interface Check {
  name?: string;
  message?: unknown;
}

describe('the detail of a fault', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const faultsOf = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await latchkey.admin.post<ProblemBody>(path, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
    return answer.body.errors!.map(({ pointer, detail }) => [pointer, detail]);
  };

  it('is worded by Latchkey for every check of class-validator that a field uses', () => {
    const own = Object.values(classValidator).filter((value): value is string => typeof value === 'string');
    const storage = classValidator.getMetadataStorage() as unknown as { validationMetadatas: Map<unknown, Check[]> };
    const checks = [...storage.validationMetadatas].flatMap(([target, each]) => (target === Config ? [] : each));
    const used = checks.flatMap(({ name, message }) => (name && message === undefined ? [name] : []));
    expect(used.length).toBeGreaterThan(50);
    // `isOptional` refuses nothing, and `isCurrency` is our own check.
    const others = ['isOptional', 'isCurrency'];
    expect(used.filter((name) => own.includes(name) && !others.includes(name) && !(name in DETAILS))).toEqual([]);
  });

  it('says once that a missing field is required', async () => {
    const endpoints = [{ method: 'GET' }];
    expect(await faultsOf('/v1/api_keys', { endpoints })).toEqual([
      ['/name', 'name is required'],
      ['/expiryDate', 'expiryDate is required'],
      ['/endpoints/0/path', 'path is required'],
    ]);
  });

  it('says which value is wrong, and how', async () => {
    const key = {
      name: 'x'.repeat(120),
      expiryDate: 20270630,
      allowedApplicationIds: [1, 'Shop', 0],
      endpoints: [],
      expires: 'never',
    };
    expect(await faultsOf('/v1/api_keys', key)).toEqual(
      expect.arrayContaining([
        ['/name', 'name must have 1 to 100 characters, and has 120'],
        ['/expiryDate', 'expiryDate must be a string'],
        [
          '/allowedApplicationIds/1',
          'allowedApplicationIds[1] must be the id of an Application, a whole number: GET /v1/applications lists the ids',
        ],
        ['/allowedApplicationIds/2', 'allowedApplicationIds[2] must be at least 1'],
        ['/endpoints', 'endpoints must have at least one element'],
        ['/expires', 'expires is not a known name: remove it, or check its spelling'],
      ]),
    );
  });

  it('says where to find the id of an Application if its name is given', async () => {
    const detail = 'applicationId must be the id of an Application, a whole number: GET /v1/applications lists the ids';
    const inPath = await latchkey.admin.get<ProblemBody>('/v1/applications/Shop/campaigns');
    expect([inPath.status, inPath.body.code, inPath.body.detail]).toEqual([400, 'id-malformed', `${detail}.`]);
    const inQuery = await latchkey.admin.get<ProblemBody>('/v1/api_keys?applicationId=Shop');
    expect(inQuery.body.errors).toEqual([{ parameter: 'applicationId', detail }]);
  });

  it('lists the allowed values of an enumerated parameter', async () => {
    const { body } = await latchkey.admin.get<ProblemBody>('/v1/endpoints?scope=global');
    expect(body.errors).toEqual([{ parameter: 'scope', detail: 'scope must be one of: "account", "application"' }]);
  });

  it('says that an endpoint has no query parameters', async () => {
    const { body } = await latchkey.admin.get<ProblemBody>('/v1/applications/1?dryRun=true');
    expect(body.errors).toEqual([
      { parameter: 'dryRun', detail: 'this endpoint takes no query parameters: remove it' },
    ]);
  });
});
