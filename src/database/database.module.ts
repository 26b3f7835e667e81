import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { connect, endingOptions, engineOf, readingOptions, writingOptions } from './data-source.js';
import { MetricsModule } from '../metrics/metrics.module.js';
import { DatabaseMetrics } from './database-metrics.js';
import { DecisionReader } from './reading/decision-reader.js';
import { LargeTransactions } from './transactions/large-transactions.js';
import { migrate } from './migrate.js';
import { ENDS, TransactionRunner, WRITER } from './transactions/transaction-runner.js';
import { ScanTurns } from './reading/scan-turns.js';

/**
 * Migrates and opens the database. Repositories read, `TransactionRunner` writes, `DecisionReader` reads for decisions.
 */
@Global()
@Module({
  imports: [
    MetricsModule,
    TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: async (config: Config) => {
        await migrate(config);
        return { ...readingOptions(config), retryAttempts: 0 };
      },
      dataSourceFactory: (options) => connect(options!),
    }),
  ],
  providers: [
    {
      provide: WRITER,
      inject: [Config, DataSource],
      useFactory: (config: Config, reader: DataSource) =>
        engineOf(config) === 'mysql' ? reader : connect(writingOptions(config)),
    },
    {
      provide: ENDS,
      inject: [Config, WRITER],
      useFactory: (config: Config, writer: DataSource) =>
        engineOf(config) === 'mysql' ? connect(endingOptions(config)) : writer,
    },
    TransactionRunner,
    LargeTransactions,
    DecisionReader,
    ScanTurns,
    DatabaseMetrics,
  ],
  exports: [TransactionRunner, LargeTransactions, DecisionReader, ScanTurns],
})
export class DatabaseModule {}
