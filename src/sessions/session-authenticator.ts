import { Injectable } from '@nestjs/common';
import type { Authenticator } from '../access/authenticator.js';
import type { UserPrincipal } from '../access/principal.js';
import { DecisionReader } from '../database/decision-reader.js';
import { Problem } from '../http/problem.js';

/** Knows the users behind session tokens. */
@Injectable()
export class SessionAuthenticator implements Authenticator {
  readonly scheme = 'bearer';

  constructor(private readonly reader: DecisionReader) {}

  async authenticate(_token: string, _deadline: number): Promise<UserPrincipal> {
    throw new Problem('unknown');
  }
}
