import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { Config, ConfigurationError } from './config/config.js';
import { createLogger, NestLogger } from './http/logging.js';
import { APPLICATION_OPTIONS, createServerAdapter, prepareApplication } from './server.js';
import { resetPassword } from './users/reset-password.js';

async function main(): Promise<void> {
  if (process.argv[2] === 'reset-password') {
    process.exitCode = await resetPassword(process.argv.slice(3));
    return;
  }
  const nest = await NestFactory.create(AppModule, createServerAdapter(), {
    ...APPLICATION_OPTIONS,
    logger: ['error', 'warn'],
  });
  const config = nest.get(Config);
  const logger = createLogger(config.LOG_LEVEL);
  nest.useLogger(new NestLogger(logger));
  const app = await prepareApplication(nest, logger);
  app.enableShutdownHooks();
  await app.listen(config.PORT, config.HOST);
  const url = await app.getUrl();
  const docs = config.DOCS_ENABLED ? `; Swagger UI: ${url}/docs` : '';
  logger.info({ url }, `Latchkey listens on ${url}${docs}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigurationError)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
