import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { Metrics } from '../metrics/metrics.js';
import { DecisionReader } from './reading/decision-reader.js';
import { ScanTurns } from './reading/scan-turns.js';

/** The internals of a MySQL pool that the metrics need. mysql2 does not export them. */
interface Pool {
  _allConnections: { length: number };
  _freeConnections: { length: number };
  _connectionQueue: { length: number };
}

/** Measures the database layer when `/metrics` is requested. It costs nothing otherwise. */
@Injectable()
export class DatabaseMetrics {
  constructor(metrics: Metrics, reader: DecisionReader, scans: ScanTurns, dataSource: DataSource) {
    const registers = [metrics.registry];
    new Counter({
      name: 'latchkey_decision_statements_total',
      help: 'Statements that were sent to the database for decisions.',
      registers,
      collect() {
        this.reset();
        this.inc(reader.statementCount);
      },
    });
    new Gauge({
      name: 'latchkey_scans_waiting',
      help: 'Lists, searches and exports that wait for their turn to read from the database.',
      registers,
      collect() {
        this.set(scans.waitingNow);
      },
    });
    if (dataSource.options.type !== 'mysql') {
      return;
    }
    const { pool } = dataSource.driver as unknown as { pool: Pool };
    new Gauge({
      name: 'latchkey_database_pool_connections',
      help: 'Connections of the MySQL pool, by whether they are in use.',
      labelNames: ['state'],
      registers,
      collect() {
        const idle = pool._freeConnections.length;
        this.set({ state: 'idle' }, idle);
        this.set({ state: 'used' }, pool._allConnections.length - idle);
      },
    });
    new Gauge({
      name: 'latchkey_database_pool_waiting',
      help: 'Who waits for a connection of the MySQL pool.',
      registers,
      collect() {
        this.set(pool._connectionQueue.length);
      },
    });
  }
}
