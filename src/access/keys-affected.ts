import { ApiNoContentResponse } from '@nestjs/swagger';
import type { Response } from 'express';

const HEADER = 'X-Keys-Affected';

/** Documents the header that says how many keys a change concerns, where the answer has no body; `which` says which. */
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

/** Says in the answer's header how many keys a change concerns. */
export async function tellKeysAffected(response: Response, keysAffected: Promise<number>): Promise<void> {
  response.setHeader(HEADER, await keysAffected);
}
