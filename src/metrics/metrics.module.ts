import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';

/** Provides every module with the one `Metrics`. */
@Global()
@Module({ providers: [Metrics], exports: [Metrics] })
export class MetricsModule {}
