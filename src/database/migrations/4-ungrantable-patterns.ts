import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Renames the field of `services.skipped` that says which paths may mean an operation. The quotes of a text inside the
 * JSON are escaped, so that the names of fields alone match.
 */
export class UngrantablePatterns4 implements MigrationInterface {
  name = 'UngrantablePatterns0000000000004';

  async up(runner: QueryRunner): Promise<void> {
    await rename(runner, 'shadow', 'pattern');
  }

  async down(runner: QueryRunner): Promise<void> {
    await rename(runner, 'pattern', 'shadow');
  }
}

function rename(runner: QueryRunner, from: string, to: string): Promise<unknown> {
  return runner.query('UPDATE services SET skipped = REPLACE(skipped, ?, ?)', [`"${from}":`, `"${to}":`]);
}
