import type { Access, Scope } from './access.js';
import { type Decision, decide, type JudgedEndpoint } from './decision.js';
import type { ApiKeyPrincipal, Principal } from './principal.js';

const PATH = '/v1/applications/{applicationId}/campaigns';
/** Grants for the endpoint, with its meaning in each scope. */
const GRANTS = [`management 0 GET  ${PATH}`, `management 0 GET applicationId ${PATH}`];

function endpoint(access: JudgedEndpoint['access'], scope: Scope = 'account'): JudgedEndpoint {
  return {
    service: 'management',
    serviceId: 0,
    method: 'GET',
    path: PATH,
    scope,
    applicationParameter: scope === 'application' ? 'applicationId' : null,
    grantable: access.kind === 'key',
    access,
  };
}

function key(parts: Partial<ApiKeyPrincipal>): ApiKeyPrincipal {
  return {
    kind: 'api-key',
    apiKeyId: 1,
    name: 'test',
    hint: 'lkm_0000',
    createdBy: 1,
    ownerIsAdmin: true,
    state: 'valid',
    catalogueRevision: 1,
    expiryDate: Number.MAX_SAFE_INTEGER,
    allApplications: true,
    applicationIds: new Set(),
    grants: new Set(GRANTS),
    ...parts,
  };
}

const limited = (...ids: number[]): Partial<ApiKeyPrincipal> => ({
  allApplications: false,
  applicationIds: new Set(ids),
});

const CALLERS = {
  unauthenticated: undefined,
  user: { kind: 'user', userId: 2, isAdmin: false, sessionId: 1 },
  admin: { kind: 'user', userId: 1, isAdmin: true, sessionId: 2 },
  'key, granted, all Applications': key({}),
  'key, granted, Application 1': key(limited(1)),
  'key, granted, Application 2': key(limited(2)),
  'key, granted, no Application': key(limited()),
  'key, not granted': key({ grants: new Set(['management 0 GET  /v1/users']) }),
} satisfies Record<string, Principal | undefined>;

const outcome = (decision: Decision): string => (decision.allowed ? 'ok' : decision.code);

/** One row for each kind of endpoint, one column for each caller, in the order of CALLERS. */
const TABLE: [string, JudgedEndpoint, string[]][] = [
  ['public', endpoint({ kind: 'public' }), ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok']],
  [
    'signed-in',
    endpoint({ kind: 'signed-in' }),
    ['credential-missing', 'ok', 'ok', ...Array.from({ length: 5 }, () => 'endpoint-not-allowed')],
  ],
  [
    'admin-only',
    endpoint({ kind: 'admin-only' }),
    ['credential-missing', 'admin-required', 'ok', ...Array.from({ length: 5 }, () => 'endpoint-not-allowed')],
  ],
  ...(['any', 'admin', 'none'] as const).flatMap((session): [string, JudgedEndpoint, string[]][] => {
    const access: Access | { kind: 'key'; session: 'none' } = { kind: 'key', session };
    const users = {
      any: ['ok', 'ok'],
      admin: ['admin-required', 'ok'],
      none: ['endpoint-not-allowed', 'endpoint-not-allowed'],
    }[session];
    return [
      [
        `key access, account, session ${session}`,
        endpoint(access),
        [
          'credential-missing',
          ...users,
          'ok',
          'application-not-allowed',
          'application-not-allowed',
          'application-not-allowed',
          'endpoint-not-allowed',
        ],
      ],
      [
        `key access, application, session ${session}`,
        endpoint(access, 'application'),
        [
          'credential-missing',
          ...users,
          'ok',
          'ok',
          'application-not-allowed',
          'application-not-allowed',
          'endpoint-not-allowed',
        ],
      ],
    ];
  }),
];

describe('the decision', () => {
  test.each(TABLE)('%s: allows exactly the callers in the table', (_name, judged, expected) => {
    expect(Object.values(CALLERS).map((caller) => outcome(decide(judged, caller, '1')))).toEqual(expected);
  });

  test.each(['0', '01', '-1', '1.0', '1e0', ' 1', '1 ', '2147483648', '99999999999', 'a', '', '１'])(
    'refuses the malformed Application id %j to a limited key, even if it resembles an allowed id',
    (applicationId) => {
      expect(
        outcome(decide(endpoint({ kind: 'key', session: 'any' }, 'application'), key(limited(1)), applicationId)),
      ).toBe('application-malformed');
    },
  );

  test('refuses a limited key without an Application id', () => {
    expect(outcome(decide(endpoint({ kind: 'key', session: 'any' }, 'application'), key(limited(1))))).toBe(
      'application-malformed',
    );
  });

  test('refuses a grant for another service', () => {
    const foreign = { ...endpoint({ kind: 'key', session: 'none' }, 'application'), service: 'billing' };
    expect(outcome(decide(foreign, key({}), '1'))).toBe('endpoint-not-allowed');
  });

  test.each([
    ['the service was registered again', 'billing 1 GET  /x'],
    ['another parameter contains the Application', 'billing 2 GET other /x'],
    ['the METHOD is different', 'billing 2 POST  /x'],
    ['Latchkey has the same path', 'management 0 GET  /x'],
  ])('refuses a grant if %s', (_, grant) => {
    const access = { kind: 'key', session: 'none' } as const;
    const foreign = { ...endpoint(access), service: 'billing', serviceId: 2, path: '/x' };
    expect(outcome(decide(foreign, key({ grants: new Set([grant]) })))).toBe('endpoint-not-allowed');
    expect(outcome(decide(foreign, key({ grants: new Set(['billing 2 GET  /x']) })))).toBe('ok');
  });

  test('refuses a grant for an ungrantable endpoint', () => {
    const ungrantable = { ...endpoint({ kind: 'key', session: 'any' }), grantable: false };
    expect(outcome(decide(ungrantable, key({})))).toBe('endpoint-not-allowed');
  });

  test('names the Application if it is allowed', () => {
    expect(decide(endpoint({ kind: 'key', session: 'any' }, 'application'), key(limited(1)), '1')).toEqual({
      allowed: true,
      applicationId: 1,
    });
  });
});
