import { readFileSync } from 'node:fs';
import { chosenFiles, isChosen } from './test/suites.mjs';

/**
 * Unit tests lie beside the code, everything that goes through HTTP in test/: test/suites.mjs says what of it runs when.
 */

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

const unit = {
  ...common,
  displayName: 'unit',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  transform: { '\\.ts$': typescript },
};

const http = {
  ...common,
  displayName: 'http',
  testEnvironment: '<rootDir>/test/jest/built-environment.mjs',
  ...chosenFiles(),
  transform: { '/src/.*\\.ts$': built, [PACKAGES]: built, '\\.ts$': typescript },
  transformIgnorePatterns: [`/node_modules/(?!(?:${Object.keys(dependencies).join('|')})/)`],
};

export default {
  projects: isChosen('everyday') ? [unit, http] : [http],
  testSequencer: '<rootDir>/test/jest/suites-first.mjs',
  testTimeout: 90_000,
  maxWorkers: '100%',
};
