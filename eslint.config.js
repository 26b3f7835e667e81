import tseslint from 'typescript-eslint';

/** What every feature that changes something stands on. */
const FOUNDATION = ['access', 'audit', 'authority', 'config', 'database', 'input', 'openapi', 'problems'];

/**
 * Who may know whom: a folder of src/ and those in it may import from itself, from what is listed here, and from nothing
 * else of ours. A folder stands below those that it lists, so that there is no cycle.
 */
export const DIRECTIONS = {
  config: [],
  logging: [],
  request: ['logging'],
  problems: ['logging', 'request'],
  admission: ['problems'],
  input: ['problems', 'request'],
  metrics: ['problems'],
  database: ['config', 'input', 'metrics', 'problems', 'request'],
  access: ['config', 'database', 'input', 'metrics', 'problems', 'request'],
  openapi: ['access', 'config', 'input', 'problems'],
  audit: ['access', 'config', 'database', 'input', 'openapi', 'problems'],
  authority: ['access', 'audit', 'config', 'database', 'input', 'problems', 'request'],
  users: [...FOUNDATION, 'admission', 'metrics', 'request'],
  sessions: ['users', ...FOUNDATION, 'metrics', 'request'],
  applications: FOUNDATION,
  'api-keys': ['users', 'applications', ...FOUNDATION, 'metrics'],
  backoffice: ['applications', ...FOUNDATION, 'admission', 'metrics'],
  services: ['api-keys', ...FOUNDATION, 'admission'],
  verification: ['api-keys', 'access', 'config', 'database', 'input', 'openapi', 'problems', 'request'],
  health: ['access', 'config', 'database', 'openapi', 'problems', 'request'],
  server: [
    ...['api-keys', 'health', 'verification'],
    ...['access', 'config', 'database', 'input', 'logging', 'metrics', 'openapi', 'problems', 'request'],
  ],
};
const FOLDERS = Object.keys(DIRECTIONS);

/** Matches an import from one of these folders, from however deep. */
const from = (folders, file = '') => `^(\\.\\./)+(${folders.join('|')})/${file}`;

const WRITING = 'Writing goes through Transactions and nothing else.';
const restrictedSyntax = [
  {
    // A transaction is called `tx` everywhere.
    selector:
      "CallExpression[callee.property.name=/^(insert|update|delete|softDelete|restore)$/][callee.object.callee.property.name='createQueryBuilder']:not([callee.object.callee.object.name='tx'])",
    message: WRITING,
  },
  {
    selector: "MethodDefinition[kind='constructor'] TSTypeReference[typeName.name='EntityManager']",
    message: WRITING,
  },
];

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'data/',
      'artefacts/',
      'bench/node_modules/',
      'examples/**/node_modules/',
      'packages/',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  ...FOLDERS.map((folder) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-syntax': ['database', 'authority'].includes(folder) ? 'off' : ['error', ...restrictedSyntax],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'class-validator',
              importNames: ['Length', 'MaxLength', 'MinLength'],
              message: 'They count other characters than databases do: take those of input/fields/length.ts.',
            },
            ...(folder === 'database'
              ? []
              : [
                  {
                    name: 'typeorm',
                    importNames: ['DataSource', 'Repository'],
                    message: 'Read through ReadRepository; write through Transactions.',
                  },
                  {
                    name: '@nestjs/typeorm',
                    importNames: [
                      'InjectDataSource',
                      'InjectEntityManager',
                      'getDataSourceToken',
                      'getEntityManagerToken',
                    ],
                    message: 'Read through ReadRepository; write through Transactions.',
                  },
                ]),
          ],
          patterns: [
            {
              regex: from(FOLDERS.filter((other) => other !== folder && !DIRECTIONS[folder].includes(other))),
              message: `${folder} must not know this folder.`,
            },
            {
              regex: from(
                FOLDERS.filter((other) => other !== folder),
                '.*\\.entity\\.js$',
              ),
              message: 'A feature imports another feature’s module and service, never its entity.',
            },
            ...(['database', 'authority'].includes(folder)
              ? []
              : [
                  {
                    regex: from(['database'], 'transactions/(transaction-runner|large-transactions)\\.js$'),
                    importNames: ['TransactionRunner', 'LargeTransactions', 'WRITER', 'ENDS'],
                    message: 'Writing takes an actor: Transactions in authority/ asks for their authority.',
                  },
                ]),
            {
              regex: '^(\\.\\./)+(app\\.module|main)\\.js$',
              message: 'Features do not know the composition root.',
            },
          ],
        },
      ],
    },
  })),
  {
    files: ['src/database/migrations/**/*.ts', 'src/**/*.test.ts'],
    rules: { 'no-restricted-imports': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    // A promise that nobody waits for fails unseen, and a write of it may come after the response.
    files: ['src/**/*.ts', 'test/**/*.ts'],
    ignores: ['test/openapi/generated-client/**'],
    languageOptions: { parserOptions: { project: './test/tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
  {
    // `consistent-type-imports` would turn injected classes into types, and Nest could not find them any more.
    files: ['src/**/*.ts'],
    languageOptions: { parserOptions: { emitDecoratorMetadata: true, experimentalDecorators: true } },
  },
);
