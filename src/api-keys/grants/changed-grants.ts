import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import type { TakeTurn } from '../../database/transactions/transaction-runner.js';
import { ApiKey, ApiKeyEndpoint } from '../api-key.entity.js';
import type { HeldService } from '../api-keys.service.js';

/** A grant whose endpoint has another meaning now. */
export interface ChangedGrant {
  id: number;
  name: string;
  hint: string;
  position: number;
  method: string;
  path: string;
  /** The parameter that held the Application id; empty for the whole account, undefined if it is unknown. */
  from: string | undefined;
  /** The parameter that holds the Application id now; empty for the whole account. */
  to: string;
}

/** The value that the upgrade wrote for grants whose endpoint was not in the catalogue. */
const UNKNOWN = '/';
const KEYS_PER_STATEMENT = 250;

/** Finds and confirms grants whose endpoint has another meaning than when it was granted. */
@Injectable()
export class ChangedGrants {
  /**
   * Finds the grants of a service whose endpoints have another meaning, in the order of keys and of each key's list.
   *
   * @param applicationParameter the parameter that will hold the Application id in all paths of the service
   */
  async find(tx: EntityManager, { id, service }: HeldService, applicationParameter: string): Promise<ChangedGrant[]> {
    // INSTR is enough, because parameters of a template are whole segments.
    const meaning = "CASE WHEN INSTR(e.path, :segment) > 0 THEN :parameter ELSE '' END";
    const rows = await tx
      .createQueryBuilder(ApiKeyEndpoint, 'e')
      .innerJoin(ApiKey, 'k', 'k.id = e.apiKeyId')
      .select(['k.id AS id', 'k.name AS name', 'k.hint AS hint', 'e.position AS position'])
      .addSelect(['e.method AS method', 'e.path AS path', 'e.applicationParameter AS was', `${meaning} AS becomes`])
      .where('e.service = :service AND e.serviceId = :id', { service, id })
      .andWhere(`e.applicationParameter <> ${meaning}`)
      .setParameters({ segment: `/{${applicationParameter}}`, parameter: applicationParameter })
      .orderBy('k.id')
      .addOrderBy('e.position')
      .getRawMany<Omit<ChangedGrant, 'from' | 'to'> & { was: string; becomes: string }>();
    return rows.map(({ was, becomes, ...row }) => ({ ...row, from: was === UNKNOWN ? undefined : was, to: becomes }));
  }

  /** Returns the paths of all endpoints of a service that keys hold. */
  async pathsHeld(tx: EntityManager, { id, service }: HeldService): Promise<string[]> {
    const rows = await tx
      .createQueryBuilder(ApiKeyEndpoint, 'e')
      .select('DISTINCT e.path', 'path')
      .where('e.service = :service AND e.serviceId = :id', { service, id })
      .getRawMany<{ path: string }>();
    return rows.map(({ path }) => path);
  }

  /**
   * Lets exactly these grants open what their endpoints mean now. The caller must raise the revision of the catalogue
   * in the same transaction, because processes cache grants until the revision changes.
   */
  async confirm(tx: EntityManager, turn: TakeTurn, grants: readonly ChangedGrant[]): Promise<void> {
    for (const group of byPlaceAndMeaning(grants)) {
      const { position, to } = group[0]!;
      for (let start = 0; start < group.length; start += KEYS_PER_STATEMENT) {
        const apiKeyIds = group.slice(start, start + KEYS_PER_STATEMENT).map(({ id }) => id);
        await tx.update(ApiKeyEndpoint, { apiKeyId: In(apiKeyIds), position }, { applicationParameter: to });
        await turn();
      }
    }
  }
}

/** Groups the grants that one query can confirm. */
function byPlaceAndMeaning(grants: readonly ChangedGrant[]): Iterable<ChangedGrant[]> {
  const groups = new Map<string, ChangedGrant[]>();
  for (const grant of grants) {
    const name = `${grant.position} ${grant.to}`;
    const group = groups.get(name);
    if (group) {
      group.push(grant);
    } else {
      groups.set(name, [grant]);
    }
  }
  return groups.values();
}
