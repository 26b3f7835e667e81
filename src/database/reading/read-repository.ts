import type { ObjectLiteral, Repository } from 'typeorm';

/** A repository outside transactions, which can only read. Writes go through `Transactions`. */
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
