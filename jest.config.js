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

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.FAULTS ? [] : ['<rootDir>/test/faults/']),
    ...(process.env.DATABASE_ONLY ? SAME_ON_EVERY_DATABASE.map((name) => `<rootDir>/test/.*/${name}[^/]*$`) : []),
    ...(process.env.SECURITY ? [] : ['<rootDir>/test/security/']),
  ],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      { useESM: true, tsconfig: '<rootDir>/test/tsconfig.json', transpilation: true, diagnostics: false },
    ],
  },
  testTimeout: 90_000,
  maxWorkers: 2,
};
