import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CallerCheck } from '../access/caller-check.js';
import type { ApiKeyPrincipal } from '../access/principal.js';
import { Clock } from '../config/clock.js';
import { forShare } from '../database/locking.js';
import { Problem } from '../http/problem.js';
import { credentialProblem } from './api-key-authenticator.js';
import { faultOf } from './key-condition.js';

interface Row {
  createdBy: number;
  creatorState: string;
  expiryDate: number | string;
  allApplications: number;
  applicationCount: number | string;
}

const KEY = `SELECT k.created_by AS createdBy, u.state AS creatorState, k.expiry_date AS expiryDate,
  k.all_applications AS allApplications,
  (SELECT COUNT(*) FROM api_key_applications a WHERE a.api_key_id = k.id) AS applicationCount
  FROM api_keys k JOIN users u ON u.id = k.created_by WHERE k.id = ?`;

/** Knows whether a key still lives, inside a transaction. */
@Injectable()
export class ApiKeyCheck implements CallerCheck<ApiKeyPrincipal> {
  constructor(private readonly clock: Clock) {}

  async stillAlive(tx: EntityManager, caller: ApiKeyPrincipal): Promise<void> {
    const rows: Row[] = await tx.query(KEY + forShare(tx), [caller.apiKeyId]);
    const row = rows[0];
    if (!row) {
      throw new Problem('unknown', 'There is no such key any more.');
    }
    const vitals = {
      creatorState: row.creatorState,
      expiryDate: Number(row.expiryDate),
      allApplications: Number(row.allApplications) === 1,
      applicationCount: Number(row.applicationCount),
    };
    const code = faultOf(vitals, this.clock.now());
    if (code) {
      const { apiKeyId, name, hint, applicationIds } = caller;
      const key = { id: apiKeyId, name, hint, applicationIds, createdBy: row.createdBy, ...vitals };
      throw credentialProblem({ kind: 'dead', code, key, catalogueRevision: 0 });
    }
  }
}
