import type { ObjectLiteral, Repository } from 'typeorm';

/**
 * A repository outside transactions. Its connection refuses writes: on SQLite the file is open for reading only, and on
 * MySQL the session is read-only. Writes go through `Transactions`.
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
