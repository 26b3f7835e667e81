import { Injectable } from '@nestjs/common';
import { endpointName, MANAGEMENT } from '../access/access.js';
import { Authorizer, type KnownEndpoint } from '../access/authorizer.js';
import { presentedKey } from '../access/credentials.js';
import type { Principal } from '../access/principal.js';
import { readRawPath } from '../access/paths/raw-path.js';
import type { ApiKeyState } from '../api-keys/key-condition.js';
import { toRfc3339 } from '../database/times.js';
import type { NewVerification, Verification, VerifiedEndpoint, VerifiedKey } from './verifications.dto.js';

/** Tells other services whether a key that was presented to them may make a request. */
@Injectable()
export class VerificationsService {
  constructor(private readonly authorizer: Authorizer) {}

  /** Decides whether the key may make the request, by the current state of the database. */
  async verify({ key, service = MANAGEMENT, method, path }: NewVerification): Promise<Verification> {
    const began = performance.now();
    const target = { kind: 'request', service, method, path: readRawPath(path) } as const;
    const outcome = await this.authorizer.authorize('verification', presentedKey(key), target, began);
    const endpoint = outcome.endpoint && endpointView(outcome.endpoint);
    switch (outcome.kind) {
      case 'allowed': {
        const { applicationId, principal } = outcome;
        const detail = `The key opens ${endpointName(outcome.endpoint)}.`;
        return { valid: true, code: 'valid', detail, endpoint, applicationId, key: keyView(principal) };
      }
      case 'refused': {
        const { code, detail } = outcome.problem;
        return { valid: false, code, detail, endpoint, applicationId: null, key: outcome.key && keyView(outcome.key) };
      }
      default:
        return outcome satisfies never;
    }
  }
}

function keyView(principal: Principal): VerifiedKey | null {
  if (principal.kind !== 'api-key') {
    return null;
  }
  const { apiKeyId, name, hint, createdBy, expiryDate, state } = principal;
  return { id: apiKeyId, name, hint, createdBy, expiryDate: toRfc3339(expiryDate), state: state as ApiKeyState };
}

function endpointView({ service, method, path }: KnownEndpoint): VerifiedEndpoint {
  return { service, method, path };
}
