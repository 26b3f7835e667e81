import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLE = 'api_key_endpoints';
const COLUMNS = {
  service_id: 'integer NOT NULL DEFAULT 0',
  application_parameter: "varchar(100) NOT NULL DEFAULT ''",
};
/** No parameter has this name. A grant with it opens nothing until an admin confirms it. */
const UNKNOWN = '/';

/** Stores with each grant the service that it is for, and the meaning of its endpoint. */
export class GrantMeaning3 implements MigrationInterface {
  name = 'GrantMeaning0000000000003';

  async up(runner: QueryRunner): Promise<void> {
    for (const [column, type] of Object.entries(COLUMNS)) {
      if (!(await runner.hasColumn(TABLE, column))) {
        await runner.query(`ALTER TABLE ${TABLE} ADD COLUMN ${column} ${type}`);
      }
    }
    await runner.query(
      `UPDATE ${TABLE} SET application_parameter = 'applicationId'
       WHERE service = 'management' AND INSTR(path, '/{applicationId}') > 0`,
    );
    const services = (await runner.query('SELECT id, service, application_parameter AS parameter FROM services')) as {
      id: number;
      service: string;
      parameter: string;
    }[];
    for (const { id, service, parameter } of services) {
      // The meaning of an endpoint that is not in the document now is unknown.
      await runner.query(`UPDATE ${TABLE} SET service_id = ?, application_parameter = ? WHERE service = ?`, [
        id,
        UNKNOWN,
        service,
      ]);
      await runner.query(
        `UPDATE ${TABLE} SET application_parameter = CASE WHEN INSTR(path, ?) > 0 THEN ? ELSE '' END
         WHERE service = ? AND (method, path) IN (SELECT method, path FROM service_endpoints WHERE service_id = ?)`,
        [`/{${parameter}}`, parameter, service, id],
      );
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const column of Object.keys(COLUMNS)) {
      if (await runner.hasColumn(TABLE, column)) {
        await runner.query(`ALTER TABLE ${TABLE} DROP COLUMN ${column}`);
      }
    }
  }
}
