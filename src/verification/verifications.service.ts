import { Injectable } from '@nestjs/common';
import { endpointName, MANAGEMENT } from '../access/access.js';
import { readRawPath } from '../access/raw-path.js';
import { stateOf } from '../api-keys/key-condition.js';
import type { ReadKey } from '../api-keys/key-reader.js';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.js';
import { toRfc3339 } from '../database/times.js';
import { Problem } from '../http/problem.js';
import { type Decisions, Metrics } from '../metrics/metrics.js';
import { Judge, type Judgement, type KnownEndpoint } from './judge.js';
import type { NewVerification, Verification, VerifiedEndpoint, VerifiedKey } from './verifications.dto.js';

/** Answers other services that ask whether a key which was presented to them may do what it is presented for. */
@Injectable()
export class VerificationsService {
  private readonly decisions: Decisions;

  constructor(
    private readonly judge: Judge,
    private readonly config: Config,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.decisions = metrics.decisions('verification');
  }

  /** Whether the key may do that, by what the database says now. */
  async verify(question: NewVerification): Promise<Verification> {
    const began = performance.now();
    const judgement = await this.judgementOf(question, began);
    this.decisions.add(judgement.kind === 'allowed' ? 'allowed' : judgement.problem.code, began);
    const key = judgement.key && this.view(judgement.key);
    const endpoint = judgement.endpoint && endpointOf(judgement.endpoint);
    switch (judgement.kind) {
      case 'allowed': {
        const { applicationId } = judgement;
        const detail = `The key opens ${endpointName(judgement.endpoint)}.`;
        return { valid: true, code: 'valid', detail, endpoint, applicationId, key };
      }
      case 'refused': {
        const { code, detail } = judgement.problem;
        return { valid: false, code, detail, endpoint, applicationId: null, key };
      }
      default:
        return judgement satisfies never;
    }
  }

  private async judgementOf(
    { key: secret, service = MANAGEMENT, method, path }: NewVerification,
    began: number,
  ): Promise<Judgement> {
    try {
      const deadline = began + this.config.DECISION_WAIT_MS;
      return await this.judge.judge(secret, { service, method, path: readRawPath(path) }, deadline);
    } catch (error) {
      this.decisions.add(error instanceof Problem ? error.code : 'internal-error', began);
      throw error;
    }
  }

  private view(key: ReadKey): VerifiedKey {
    const { id, name, hint, createdBy } = key;
    return {
      id,
      name,
      hint,
      createdBy,
      expiryDate: toRfc3339(key.expiryDate),
      state: stateOf(key, this.clock.now()),
    };
  }
}

function endpointOf({ service, method, path }: KnownEndpoint): VerifiedEndpoint {
  return { service, method, path };
}
