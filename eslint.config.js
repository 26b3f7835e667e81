import tseslint from 'typescript-eslint';

/** Who may know whom: a folder of src/ may import from itself, from what stands here, and from nothing else of ours. */
const DIRECTIONS = {
  config: [],
  http: [],
  metrics: ['http'],
  database: ['config', 'http', 'metrics'],
  access: ['config', 'database', 'http', 'metrics'],
  changes: ['access', 'config', 'database', 'http'],
  authority: ['access', 'changes', 'config', 'database', 'http'],
  users: ['access', 'authority', 'changes', 'config', 'database', 'http', 'metrics'],
  sessions: ['users', 'access', 'authority', 'changes', 'config', 'database', 'http', 'metrics'],
  applications: ['access', 'authority', 'changes', 'config', 'database', 'http'],
  'api-keys': ['users', 'applications', 'access', 'authority', 'changes', 'config', 'database', 'http', 'metrics'],
  campaigns: ['applications', 'access', 'authority', 'changes', 'config', 'database', 'http', 'metrics'],
  services: ['api-keys', 'access', 'authority', 'changes', 'config', 'database', 'http'],
  verification: ['api-keys', 'access', 'config', 'database', 'http'],
  health: ['access', 'config', 'database', 'http'],
};
const FOLDERS = Object.keys(DIRECTIONS);

const restrictedSyntax = [
  {
    selector:
      "CallExpression[callee.object.type='MemberExpression'][callee.object.property.name=/(Repository|DataSource|reader|writer)$/][callee.property.name=/^(save|insert|update|upsert|delete|remove|softDelete|softRemove|increment|decrement|transaction)$/]",
    message: 'Writing goes through Transactions and nothing else.',
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
      'no-restricted-syntax': folder === 'database' ? 'off' : ['error', ...restrictedSyntax],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'class-validator',
              importNames: ['Length', 'MaxLength', 'MinLength'],
              message: 'They count other characters than databases do: take those of http/length.ts.',
            },
            ...(folder === 'database'
              ? []
              : [
                  {
                    name: 'typeorm',
                    importNames: ['DataSource', 'Repository'],
                    message: 'Read through ReadRepository; write through Transactions.',
                  },
                ]),
          ],
          patterns: [
            {
              group: FOLDERS.filter((other) => other !== folder && !DIRECTIONS[folder].includes(other)).map(
                (other) => `../${other}/*`,
              ),
              message: `${folder} must not know this folder.`,
            },
            {
              group: FOLDERS.filter((other) => other !== folder).map((other) => `../${other}/*.entity.js`),
              message: 'A feature imports another feature’s module and service, never its entity.',
            },
            ...(['database', 'authority'].includes(folder)
              ? []
              : [
                  {
                    group: ['../database/transaction-runner.js', '../database/large-transactions.js'],
                    importNames: ['TransactionRunner', 'LargeTransactions'],
                    message: 'Writing takes an actor: Transactions in authority/ asks for their authority.',
                  },
                ]),
            {
              group: ['../app.module.js', '../main.js', '../server.js'],
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
    // `consistent-type-imports` would turn injected classes into types, and Nest could not find them any more.
    files: ['src/**/*.ts'],
    languageOptions: { parserOptions: { emitDecoratorMetadata: true, experimentalDecorators: true } },
  },
);
