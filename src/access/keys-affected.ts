import { ApiNoContentResponse } from '@nestjs/swagger';
import type { Response } from 'express';

const HEADER = 'X-Keys-Affected';

/**
 * Documents the header with the number of keys that a change affects, for responses without a body.
 *
 * @param which describes those keys
 */
export const TellsKeysAffected = (which: string): MethodDecorator =>
  ApiNoContentResponse({
    description: 'Done.',
    headers: {
      [HEADER]: {
        description: `How many ${which}.`,
        schema: { type: 'integer', minimum: 0, example: 3 },
      },
    },
  });

/** Sets the response header with the number of keys that a change affects. */
export async function tellKeysAffected(response: Response, keysAffected: Promise<number>): Promise<void> {
  response.setHeader(HEADER, await keysAffected);
}
