#!/usr/bin/env node
import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { Config } from './config/config.js';
import { createLogger, NestLogger } from './logging/logging.js';
import { APPLICATION_OPTIONS, createServerAdapter, prepareApplication } from './server/server.js';
import { Shutdown } from './server/shutdown.js';
import { describeStartFailure, ListenFailure } from './server/start-failure.js';
import { resetPassword } from './users/passwords/reset-password.js';

// Requests that wait for the same batch survive a scavenge together, and sometimes all requests do. V8 would then learn
// that requests live long, and leave all later ones to the full collection (docs/decisions/0014-no-pretenuring.md).
setFlagsFromString('--no-allocation-site-pretenuring');

async function main(): Promise<void> {
  if (process.argv[2] === 'reset-password') {
    process.exitCode = await resetPassword(process.argv.slice(3));
    return;
  }
  if (process.argv.length > 2) {
    throw new Error('this command does not exist. Start it without parameters, or with: reset-password <email>');
  }
  const shutdown = new Shutdown();
  const nest = await NestFactory.create(AppModule, createServerAdapter(), { ...APPLICATION_OPTIONS, logger: false });
  const config = nest.get(Config);
  const logger = createLogger(config.LOG_LEVEL);
  nest.useLogger(new NestLogger(logger));
  const app = await prepareApplication(nest, logger);
  await app.listen(config.PORT, config.HOST).catch((error: unknown) => {
    throw new ListenFailure(error);
  });
  shutdown.startedAs(app, logger);
  const url = await app.getUrl();
  const docs = config.DOCS_ENABLED ? `; Swagger UI: ${url}/docs` : '';
  logger.info({ url }, `Latchkey listens on ${url}${docs}`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${describeStartFailure(error)}\n`);
  process.exit(1);
}
