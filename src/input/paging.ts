import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { WholeNumber } from './fields/whole-number.js';

/** Which part of a list is wanted. Lists extend it with their own filters and a documented `sort`. */
export class PageQuery {
  /** How many rows to answer with, 1 to 1000.
   * @example 50 */
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(1000)
  pageSize: number = 50;

  /** How many rows to pass over first.
   * @example 0 */
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  skip: number = 0;
}

/** One page of a list whose size is known. */
export interface Page<Row> {
  totalResultSize: number;
  data: Row[];
}
