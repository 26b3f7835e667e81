import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { type HealthCheckResult, HealthCheckService, type HealthIndicatorResult } from '@nestjs/terminus';
import { Config } from '../config/config.js';
import { VERSION } from '../config/version.js';
import { allRowsOf, CoalescedReads } from '../database/reading/coalesced-reads.js';
import { DecisionReader } from '../database/reading/decision-reader.js';
import { NEWEST_MIGRATION } from '../database/migrations/migrations.js';
import { Problem } from '../problems/problem.js';
import { Drain } from './drain.js';
import type { Liveness, Readiness } from './health.dto.js';

const MIGRATIONS = 'SELECT name FROM migrations';

/** Reports the health of the process to load balancers and monitors. */
@Injectable()
export class HealthService {
  private checking: Promise<Readiness> | undefined;
  private readonly migrations: CoalescedReads<'', { name: string }, readonly { name: string }[]>;

  constructor(
    private readonly checks: HealthCheckService,
    private readonly drain: Drain,
    reader: DecisionReader,
    private readonly config: Config,
  ) {
    this.migrations = new CoalescedReads(reader, allRowsOf({ mysql: MIGRATIONS, sqlite: MIGRATIONS }));
  }

  /** Reports that the process responds. */
  liveness(): Liveness {
    return { status: 'ok', version: VERSION };
  }

  /** Reports whether the process should get requests. Throws `not-ready`. Requests at the same time share one check. */
  readiness(): Promise<Readiness> {
    this.checking ??= this.check().finally(() => (this.checking = undefined));
    return this.checking;
  }

  private async check(): Promise<Readiness> {
    try {
      const { details } = await this.checks.check([
        () => indicate('process', this.drain.hasBegun ? 'It is shutting down.' : undefined),
        async () => indicate('database', await this.faultOfDatabase()),
      ]);
      return { status: 'ok', details: details as Readiness['details'] };
    } catch (error) {
      throw error instanceof ServiceUnavailableException ? notReady(error) : error;
    }
  }

  /** Queries the connections that decisions use, with the deadline of a decision. */
  private async faultOfDatabase(): Promise<string | undefined> {
    const deadline = performance.now() + this.config.DECISION_WAIT_MS;
    try {
      const rows = await this.migrations.read('', deadline);
      return rows.some(({ name }) => name === NEWEST_MIGRATION) ? undefined : 'Its schema is older than this version.';
    } catch (error) {
      if (error instanceof Problem) {
        return `It cannot be reached (${error.code}).`;
      }
      throw error;
    }
  }
}

function indicate(name: string, fault: string | undefined): HealthIndicatorResult {
  return { [name]: fault === undefined ? { status: 'up' } : { status: 'down', fault } };
}

function notReady(error: ServiceUnavailableException): Problem {
  const { details } = error.getResponse() as HealthCheckResult;
  const faults = Object.entries(details).flatMap(([name, { fault }]) =>
    typeof fault === 'string' ? [`${name}: ${fault}`] : [],
  );
  return new Problem('not-ready', faults.join(' '));
}
