import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Lints snippets as if they were files of the repository, and prints the messages about each. */
const SCRIPT = `
import { ESLint } from 'eslint';
const eslint = new ESLint();
const messages = [];
for (const { file, code } of JSON.parse(process.argv[1])) {
  const [result] = await eslint.lintText(code, { filePath: file });
  messages.push(result.messages.map(({ ruleId, message }) => ruleId + ': ' + message));
}
process.stdout.write(JSON.stringify(messages));`;

const WRITING = 'Writing goes through Transactions and nothing else.';
const READING = 'Read through ReadRepository; write through Transactions.';

const BAD = [
  {
    name: 'an import against the directions',
    file: 'src/input/paging.ts',
    code: "import { Config } from '../config/config.js';\nexport const one = Config;\n",
    message: 'input must not know this folder.',
  },
  {
    name: 'an import of another feature’s entity',
    file: 'src/sessions/sessions.service.ts',
    code: "import { User } from '../users/user.entity.js';\nexport const one = User;\n",
    message: 'A feature imports another feature’s module and service, never its entity.',
  },
  {
    name: 'an import of the composition root',
    file: 'src/users/users.service.ts',
    code: "import { AppModule } from '../app.module.js';\nexport const one = AppModule;\n",
    message: 'Features do not know the composition root.',
  },
  ...['DataSource', 'Repository'].map((name) => ({
    name: `an import of ${name}`,
    file: 'src/users/users.service.ts',
    code: `import { ${name} } from 'typeorm';\nexport const one = ${name};\n`,
    message: READING,
  })),
  {
    name: 'an injected entity manager',
    file: 'src/users/users.service.ts',
    code: "import { InjectEntityManager } from '@nestjs/typeorm';\nexport const one = InjectEntityManager;\n",
    message: READING,
  },
  ...['TransactionRunner', 'WRITER'].map((name) => ({
    name: `an import of ${name} without an actor`,
    file: 'src/users/users.service.ts',
    code: `import { ${name} } from '../database/transactions/transaction-runner.js';\nexport const one = ${name};\n`,
    message: 'Writing takes an actor: Transactions in authority/ asks for their authority.',
  })),
  {
    name: 'a length that counts other characters than databases do',
    file: 'src/users/users.dto.ts',
    code: "import { MaxLength } from 'class-validator';\nexport const one = MaxLength;\n",
    message: 'They count other characters than databases do: take those of input/fields/length.ts.',
  },
  {
    name: 'a write by the query builder of a repository',
    file: 'src/users/users.service.ts',
    code: 'export const remove = (users: never) => users.createQueryBuilder().delete();\n',
    message: WRITING,
  },
  {
    name: 'an entity manager in a constructor',
    file: 'src/users/users.service.ts',
    code: "import { EntityManager } from 'typeorm';\nexport class One {\n  constructor(readonly manager: EntityManager) {}\n}\n",
    message: WRITING,
  },
  {
    name: 'a promise that is not awaited',
    file: 'src/users/users.service.ts',
    code: 'export function one(work: () => Promise<void>): void {\n  work();\n}\n',
    message: '@typescript-eslint/no-floating-promises',
  },
  {
    name: 'a promise in the place of a condition',
    file: 'test/support/client.ts',
    code: 'export const one = (work: () => Promise<void>) => (work() ? 1 : 2);\n',
    message: '@typescript-eslint/no-misused-promises',
  },
];

/**
 * Tests that each of our own rules fails on a line that breaks it. A rule that matches nothing looks just like a rule
 * that everyone follows.
 */
describe('the linter', () => {
  let messages: string[][];

  beforeAll(async () => {
    const snippets = JSON.stringify(BAD.map(({ file, code }) => ({ file, code })));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', SCRIPT, snippets],
      // With CI=true, the parser would read each file from disk and not see the snippet.
      { cwd: ROOT, env: { ...process.env, TSESTREE_SINGLE_RUN: 'false' } },
    );
    messages = JSON.parse(stdout) as string[][];
  }, 120_000);

  test.each(BAD.map(({ name, message }, index) => ({ name, message, index })))(
    'refuses $name',
    ({ message, index }) => {
      expect(messages[index]).toContainEqual(expect.stringContaining(message));
    },
  );
});
