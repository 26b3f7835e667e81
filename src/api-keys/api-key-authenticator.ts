import { Injectable } from '@nestjs/common';
import type { Authentication, Authenticator } from '../access/authenticator.js';
import { callerInLog } from '../access/caller.js';
import { KEY_AUTH_SCHEME } from '../access/credentials.js';
import type { ApiKeyPrincipal } from '../access/principal.js';
import { toRfc3339 } from '../database/times.js';
import { Problem } from '../problems/problem.js';
import type { KeyFault } from './key-condition.js';
import { KeyReader } from './key-reader.js';

/** Authenticates keys that are presented as `ManagementKey-v1` credentials. */
@Injectable()
export class ApiKeyAuthenticator implements Authenticator {
  readonly scheme = KEY_AUTH_SCHEME;

  constructor(private readonly keys: KeyReader) {}

  async authenticate(token: string, deadline: number): Promise<Authentication> {
    const reading = await this.keys.read(token, deadline);
    switch (reading.kind) {
      case 'alive':
        return reading;
      case 'dead':
        return { ...reading, problem: keyProblem(reading.principal, reading.fault) };
      case 'malformed':
        return {
          kind: 'unknown',
          problem: new Problem(
            'malformed',
            'The key does not have the form of a key: check that you copied all of it.',
          ),
        };
      case 'unknown':
        return { kind: 'unknown', problem: new Problem('unknown', 'There is no such key, or it was deleted.') };
      default:
        return reading satisfies never;
    }
  }
}

/** Returns the problem that says why a known key is refused. */
export function keyProblem(key: ApiKeyPrincipal, fault: KeyFault): Problem {
  const about = callerInLog(key);
  switch (fault) {
    case 'creator-deleted':
      return new Problem(fault, `User ${key.createdBy}, who created the key, was deleted.`, {}, { about });
    case 'creator-deactivated':
      return new Problem(fault, `User ${key.createdBy}, who created the key, is deactivated.`, {}, { about });
    case 'expired': {
      const expiryDate = toRfc3339(key.expiryDate);
      return new Problem(fault, `The key expired at ${expiryDate}.`, { expiryDate }, { about });
    }
    case 'no-application-left':
      return new Problem(fault, 'All Applications that the key was limited to were deleted.', {}, { about });
    default:
      return fault satisfies never;
  }
}
