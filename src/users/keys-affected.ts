import { ApiNoContentResponse } from '@nestjs/swagger';
import type { Response } from 'express';

const HEADER = 'X-Keys-Affected';

/** Documents the header that says how many keys a change of a user concerns, where the answer has no body. */
export const TellsKeysAffected = (): MethodDecorator =>
  ApiNoContentResponse({
    description: 'Done.',
    headers: {
      [HEADER]: {
        description: 'How many keys that have not expired stop, or revive, with this change.',
        schema: { type: 'integer', minimum: 0, example: 3 },
      },
    },
  });

/** Says in the answer's header how many keys a change of a user concerns. */
export async function tellKeysAffected(response: Response, keysAffected: Promise<number>): Promise<void> {
  response.setHeader(HEADER, await keysAffected);
}
