import type { ObjectLiteral, Repository } from 'typeorm';

/**
 * A repository outside transactions. It reads: its connection refuses every write, whatever a query says. On SQLite the
 * file is open for reading alone, on MySQL the session is read-only. Writing goes through `Transactions`.
 */
export type ReadRepository<Row extends ObjectLiteral> = Pick<
  Repository<Row>,
  | 'find'
  | 'findBy'
  | 'findOne'
  | 'findOneBy'
  | 'findAndCount'
  | 'count'
  | 'countBy'
  | 'existsBy'
  | 'createQueryBuilder'
  | 'query'
>;
