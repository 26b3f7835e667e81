import type { Server } from 'node:http';
import { HttpAdapterHost } from '@nestjs/core';
import { CAMPAIGNS, createApplication, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { size } from '../support/size.js';

const DECISION_WAIT_MS = 200;
/** For how long a process is blocked: until well after the deadline. */
const BLOCKED_MS = size('scale', 1.25, 2) * DECISION_WAIT_MS;
const ROUNDS = size('scale', 2, 5);

/** What a blocked process may send instead of a decision. */
const TOO_LATE = [503, 'decision-timeout'];

describe('a decision that is made after its deadline', () => {
  let latchkey: Latchkey;
  let key: string;
  let path: string;

  beforeAll(async () => {
    latchkey = await startLatchkey({ DECISION_WAIT_MS: String(DECISION_WAIT_MS) });
    ({ key } = await createKey(latchkey.admin));
    path = `/v1/applications/${await createApplication(latchkey.admin)}/campaigns`;
  });
  afterAll(() => latchkey.close());

  const ways: Record<string, () => Promise<{ status: number; body: unknown }>> = {
    'of forward auth': () =>
      latchkey.anonymous.get('/v1/forward_auth/original/management', {
        authorization: `ManagementKey-v1 ${key}`,
        'x-original-method': CAMPAIGNS.method,
        'x-original-uri': path,
      }),
    'of a route for keys': () => latchkey.as(`ManagementKey-v1 ${key}`).get(path),
    'of a route for sessions': () => latchkey.admin.get('/v1/endpoints'),
    'of a verification': () =>
      latchkey.admin.post('/v1/verifications', {
        service: 'management',
        key,
        method: CAMPAIGNS.method,
        path,
      }),
  };

  /** Blocks the event loop when the next request has arrived, as a long query of SQLite would. */
  function blockNextRequest(milliseconds: number): void {
    const server = latchkey.get(HttpAdapterHost).httpAdapter.getHttpServer() as Server;
    server.once('request', () => {
      for (const end = performance.now() + milliseconds; performance.now() < end;);
    });
  }

  describe.each(Object.entries(ways))('%s', (_what, ask) => {
    it('is never sent: the response is 503 decision-timeout', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        blockNextRequest(BLOCKED_MS);
        const { status, body } = await ask();
        expect([status, (body as { code?: string } | undefined)?.code]).toEqual(TOO_LATE);
      }
    });

    it('does not delay later requests', async () => {
      expect((await ask()).status).toBe(200);
    });
  });
});
