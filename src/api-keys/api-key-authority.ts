import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Grant, grantId } from '../access/access.js';
import type { Caller } from '../access/caller.js';
import type { ApiKeyPrincipal } from '../access/principal.js';
import { orderedJoin, type PrincipalAuthority, type Selection, sharedLock } from '../authority/principal-authority.js';
import { Clock } from '../config/clock.js';
import { type Engine, engineIn } from '../database/data-source.js';
import { forShareSql } from '../database/transactions/locking.js';
import { Problem } from '../problems/problem.js';
import { keyProblem } from './api-key-authenticator.js';
import { faultOf } from './key-condition.js';

interface KeyRow {
  createdBy: number;
  creatorState: string;
  ownerIsAdmin: number;
  expiryDate: number | string;
  allApplications: number;
}

/**
 * Checks in a transaction what the authority of a key depends on: its owner, the key, the grant and the Application.
 */
@Injectable()
export class ApiKeyAuthority implements PrincipalAuthority<ApiKeyPrincipal> {
  constructor(private readonly clock: Clock) {}

  unchanged(engine: Engine, { principal, target }: Caller<ApiKeyPrincipal>, lock: 'locked' | 'unlocked'): Selection {
    const join = orderedJoin(engine);
    const index = engine === 'mysql' ? ' FORCE INDEX (ix_api_key_endpoints_endpoint)' : '';
    const { createdBy, ownerIsAdmin, apiKeyId, allApplications } = principal;
    const { service, serviceId, method, path, applicationParameter } = target.endpoint;
    const isLimited = !allApplications;
    return {
      sql: `FROM users u ${join} api_keys k ${join} api_key_endpoints e${index}${isLimited ? ` ${join} api_key_applications a` : ''}
        WHERE u.id = ? AND u.state = 'active' AND u.is_admin = ?
        AND k.id = ? AND k.created_by = u.id AND k.expiry_date > ? AND k.all_applications = ?
        AND e.service = ? AND e.method = ? AND e.path = ? AND e.api_key_id = k.id
        AND e.service_id = ? AND e.application_parameter = ?
        ${isLimited ? 'AND a.api_key_id = k.id AND a.application_id = ?' : ''}${sharedLock(engine, lock)}`,
      parameters: [
        createdBy,
        Number(ownerIsAdmin),
        apiKeyId,
        this.clock.now(),
        Number(allApplications),
        service,
        method,
        path,
        serviceId,
        applicationParameter ?? '',
        ...(isLimited ? [Number(target.applicationId)] : []),
      ],
    };
  }

  async reread(tx: EntityManager, { principal }: Caller<ApiKeyPrincipal>): Promise<ApiKeyPrincipal> {
    const lock = forShareSql(tx);
    const { apiKeyId } = principal;
    const [row]: KeyRow[] = await tx.query(
      `SELECT k.created_by AS createdBy, u.state AS creatorState, u.is_admin AS ownerIsAdmin,
        k.expiry_date AS expiryDate, k.all_applications AS allApplications
        FROM users u ${orderedJoin(engineIn(tx))} api_keys k
        WHERE u.id = ? AND k.id = ? AND k.created_by = u.id${lock}`,
      [principal.createdBy, apiKeyId],
    );
    if (!row) {
      throw new Problem('unknown', 'There is no such key, or it was deleted.');
    }
    const applications: { id: number }[] = await tx.query(
      `SELECT application_id AS id FROM api_key_applications WHERE api_key_id = ? ORDER BY application_id${lock}`,
      [apiKeyId],
    );
    const grants: Grant[] = await tx.query(
      `SELECT service, service_id AS serviceId, method, path, application_parameter AS applicationParameter FROM api_key_endpoints WHERE api_key_id = ? ORDER BY position${lock}`,
      [apiKeyId],
    );
    const vitals = {
      creatorState: row.creatorState,
      expiryDate: Number(row.expiryDate),
      allApplications: Number(row.allApplications) === 1,
      applicationCount: applications.length,
    };
    const now: ApiKeyPrincipal = {
      ...principal,
      ownerIsAdmin: Number(row.ownerIsAdmin) === 1,
      expiryDate: vitals.expiryDate,
      allApplications: vitals.allApplications,
      applicationIds: new Set(applications.map(({ id }) => id)),
      grants: new Set(grants.map(grantId)),
    };
    const fault = faultOf(vitals, this.clock.now());
    if (fault) {
      throw keyProblem(now, fault);
    }
    return now;
  }

  users({ createdBy }: ApiKeyPrincipal): number[] {
    return [createdBy];
  }
}
