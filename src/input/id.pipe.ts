import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { Problem } from '../problems/problem.js';
import { idDetail } from './id-detail.js';

const ID = /^[1-9][0-9]{0,9}$/;
/** The largest id of either database. */
export const ID_MAX = 2_147_483_647;

/** Parses an id. Returns undefined if the text is not exactly an id. */
export function parseId(text: string): number | undefined {
  return ID.test(text) && Number(text) <= ID_MAX ? Number(text) : undefined;
}

/** Parses an id in a path. Anything that is not exactly an id is a 400. */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  transform(text: string, { data = 'id' }: Pick<ArgumentMetadata, 'data'> = {}): number {
    const id = parseId(text);
    if (id === undefined) {
      const detail = idDetail(data) ?? `${data} must be a whole number from 1 to ${ID_MAX} without leading zeros`;
      throw new Problem('id-malformed', `${detail}.`);
    }
    return id;
  }
}
