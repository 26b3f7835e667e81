import { readFileSync } from 'node:fs';

/**
 * Unit tests lie beside the code (src/**), everything that goes through HTTP in test/. Those in test/faults kill and
 * freeze what they run on: `npm run test:faults`. Those in test/security attack for minutes: `npm run test:security`.
 */

/** What `npm run test:mysql` leaves out: how the names of these test files begin. */
const SAME_ON_EVERY_DATABASE = [
  'docker',
  'licences',
  'named-tests',
  'openapi',
  'path-agreement',
  'proxy-examples',
  'refused-bodies',
  'service-examples',
  'shadow-agreement',
  'swagger-ui',
];

/** The packages that the product needs are loaded by Node, once per worker, as the product itself is. */
const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const PACKAGES = `/node_modules/(?:${Object.keys(dependencies).join('|')})/`;

const typescript = [
  'ts-jest',
  { useESM: true, tsconfig: '<rootDir>/test/tsconfig.json', transpilation: true, diagnostics: false },
];
const built = '<rootDir>/test/jest/built-transform.mjs';

const common = {
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testEnvironment: 'node',
      testMatch: ['<rootDir>/src/**/*.test.ts'],
      transform: { '\\.ts$': typescript },
    },
    {
      ...common,
      displayName: 'http',
      testEnvironment: '<rootDir>/test/jest/built-environment.mjs',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        ...(process.env.FAULTS ? [] : ['<rootDir>/test/faults/']),
        ...(process.env.DATABASE_ONLY ? SAME_ON_EVERY_DATABASE.map((name) => `<rootDir>/test/.*/${name}[^/]*$`) : []),
        ...(process.env.SECURITY ? [] : ['<rootDir>/test/security/']),
      ],
      transform: { '/src/.*\\.ts$': built, [PACKAGES]: built, '\\.ts$': typescript },
      transformIgnorePatterns: [`/node_modules/(?!(?:${Object.keys(dependencies).join('|')})/)`],
    },
  ],
  testTimeout: 90_000,
  maxWorkers: '100%',
};
