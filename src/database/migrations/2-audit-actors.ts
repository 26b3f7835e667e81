import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumn, dropColumn } from './tables.js';

/** Adds the kind of actor and the address to the audit log. */
export class AuditActors2 implements MigrationInterface {
  name = 'AuditActors0000000000002';

  async up(runner: QueryRunner): Promise<void> {
    await addColumn(runner, 'changes', 'actor', "varchar(20) NOT NULL DEFAULT 'user'");
    await addColumn(runner, 'changes', 'address', 'varchar(64)');
    await runner.query("UPDATE changes SET actor = 'api-key' WHERE management_key_id IS NOT NULL");
    await runner.query("UPDATE changes SET actor = 'operator' WHERE entity IN ('first start', 'reset-password')");
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumn(runner, 'changes', 'address');
    await dropColumn(runner, 'changes', 'actor');
  }
}
