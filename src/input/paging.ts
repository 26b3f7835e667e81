import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { WholeNumber } from './fields/whole-number.js';

/** Selects a page of a list. Lists extend this class with their own filters and a documented `sort`. */
export class PageQuery {
  /** The number of rows to return, 1 to 1000.
   * @example 50 */
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(1000)
  pageSize: number = 50;

  /** The number of rows to skip.
   * @example 0 */
  @IsOptional()
  @WholeNumber()
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  skip: number = 0;
}

/** One page of a list with its total size. */
export interface Page<Row> {
  totalResultSize: number;
  data: Row[];
}
