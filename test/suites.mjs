// The suites of tests in test/. Files are named without `.test.ts`.

/**
 * `npm test` runs every file except those that only a suite below runs (`only`). Files with a `short` form are in both:
 * short in `npm test`, and complete in their suite. SUITES selects suites, such as SUITES=races,scale. `everyday` is
 * what `npm test` runs.
 */
export const SUITES = {
  races: {
    purpose: 'An authority ends at every moment of a request, by several processes.',
    only: ['authority/ends-and-commits', 'authority/ends-beside-work', 'authority/slow-readers'],
    short: ['authority/held-bodies', 'authority/immediate-death'],
  },
  scale: {
    purpose: 'Memory, time and fairness with as much data as Latchkey promises to hold.',
    only: ['database/fair-shares'],
    short: [
      'backoffice/campaign-deletion',
      'backoffice/coupon-list',
      'backoffice/coupons',
      'backoffice/coupons-at-scale',
      'database/database',
      'verification/late-decisions',
    ],
  },
  processes: {
    purpose: 'The process as operators run it: starts, commands, upgrades, backups and ends.',
    only: [
      'database/upgrade',
      'documents/backup',
      'server/process-log',
      'server/replicas',
      'server/seed',
      'server/shutdown-beside-bodies',
      'server/start-failures',
      'users/first-admin',
    ],
    short: [],
  },
  packages: {
    purpose: 'What ships: the npm package, the image, its compose file, and a client generated from the document.',
    only: ['openapi/generated-client', 'packaging/compose', 'packaging/docker', 'packaging/package'],
    short: [],
  },
  browser: {
    purpose: 'Swagger UI in Chromium.',
    only: ['openapi/swagger-ui'],
    short: [],
  },
  proxies: {
    purpose: 'The examples before real proxies and upstreams.',
    only: [
      'access/path-agreement-proxies',
      'services/service-examples',
      'verification/proxy-examples',
      'verification/proxy-gateways',
    ],
    short: [],
  },
  faults: {
    purpose: 'Processes and databases are killed, frozen, filled and cut off.',
    only: ['faults/*'],
    short: [],
  },
  security: {
    purpose: 'Attackers: generated requests, races, crowds and slow clients.',
    only: ['security/*'],
    short: ['access/path-agreement', 'api-keys/usage', 'services/service-refusals', 'users/sign-in'],
  },
};

/** Tests that do not depend on the database. A run on MySQL omits them. */
const SAME_ON_EVERY_DATABASE = [
  ...SUITES.packages.only,
  ...SUITES.browser.only,
  ...SUITES.proxies.only,
  'access/path-agreement',
  'access/shadow-agreement',
  'documents/named-tests',
  'openapi/openapi',
  'packaging/licences',
  'server/refused-bodies',
];

const chosen = (process.env.SUITES ?? 'everyday').split(',');
const unknown = chosen.filter((name) => name !== 'everyday' && !(name in SUITES));
if (unknown.length > 0) {
  throw new Error(
    `SUITES names what is no suite: ${unknown.join(', ')}. There are everyday, ${Object.keys(SUITES).join(', ')}.`,
  );
}

/** Returns whether a suite runs now. */
export function isChosen(suite) {
  return chosen.includes(suite);
}

const globOf = (file) => `<rootDir>/test/${file}.test.ts`;
const patternOf = (file) => `<rootDir>/test/${file.replace('*', '.*')}\\.test\\.ts$`;

/** Returns the files of test/ that jest runs, and patterns of those to omit. */
export function chosenFiles() {
  const suites = Object.entries(SUITES);
  const files = suites.filter(([name]) => isChosen(name)).flatMap(([, { only, short }]) => [...only, ...short]);
  const others = suites.filter(([name]) => !isChosen(name)).flatMap(([, { only }]) => only);
  return {
    testMatch: isChosen('everyday') ? [globOf('**/*')] : files.map(globOf),
    testPathIgnorePatterns: [
      '/node_modules/',
      ...[...others, ...(process.env.DATABASE_ONLY ? SAME_ON_EVERY_DATABASE : [])].map(patternOf),
    ],
  };
}
