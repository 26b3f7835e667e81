import { Injectable } from '@nestjs/common';
import type { Authenticator } from '../access/authenticator.js';
import type { ApiKeyPrincipal } from '../access/principal.js';
import { toRfc3339 } from '../database/times.js';
import { Problem } from '../http/problem.js';
import type { CallerInLog } from '../http/request-notes.js';
import { KeyReader, type KeyReading, type ReadKey } from './key-reader.js';
import { UsageRecorder } from './usage-recorder.js';

/** Knows the keys behind `ManagementKey-v1` credentials. */
@Injectable()
export class ApiKeyAuthenticator implements Authenticator {
  readonly scheme = 'managementkey-v1';

  constructor(
    private readonly keys: KeyReader,
    private readonly usage: UsageRecorder,
  ) {}

  async authenticate(token: string, deadline: number): Promise<ApiKeyPrincipal> {
    const reading = await this.keys.read(token, deadline);
    if (reading.kind === 'alive') {
      return reading.principal;
    }
    if (reading.kind === 'dead') {
      this.usage.record(reading.key.id, null, null, reading.code);
    }
    throw credentialProblem(reading);
  }
}

/** The problem that says why a presented key does not count. */
export function credentialProblem(reading: Exclude<KeyReading, { kind: 'alive' }>): Problem {
  const about = reading.kind === 'dead' ? inLog(reading.key) : undefined;
  switch (reading.code) {
    case 'malformed':
      return new Problem('malformed', 'The key is not of the form that keys have: was it copied whole?');
    case 'unknown':
      return new Problem('unknown', 'There is no such key, or not any more.');
    case 'creator-deleted':
      return new Problem(
        'creator-deleted',
        `User ${reading.key.createdBy}, who made the key, was deleted.`,
        {},
        { about },
      );
    case 'creator-deactivated':
      return new Problem(
        'creator-deactivated',
        `User ${reading.key.createdBy}, who made the key, is deactivated.`,
        {},
        { about },
      );
    case 'expired': {
      const expiryDate = toRfc3339(reading.key.expiryDate);
      return new Problem('expired', `The key expired at ${expiryDate}.`, { expiryDate }, { about });
    }
    case 'no-application-left':
      return new Problem(
        'no-application-left',
        'All Applications that the key was limited to were deleted.',
        {},
        { about },
      );
    default:
      return reading satisfies never;
  }
}

/** As much of a key as the log may tell. */
export function inLog({ id, hint }: Pick<ReadKey, 'id' | 'hint'>): CallerInLog {
  return { kind: 'api-key', id, hint };
}
