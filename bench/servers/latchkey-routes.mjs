// Runs Latchkey with two more routes that both do almost nothing: keys can open one, and the other is public. With
// USAGE=off it counts no usage, to show the cost of counting.
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { KeyAccess, Public } from '../../dist/access/access.decorators.js';
import { UsageRecorder } from '../../dist/api-keys/usage/usage-recorder.js';
import { AppModule } from '../../dist/app.module.js';
import { Config } from '../../dist/config/config.js';
import { createLogger, NestLogger } from '../../dist/logging/logging.js';
import { APPLICATION_OPTIONS, createServerAdapter, prepareApplication } from '../../dist/server/server.js';

class BenchController {
  benchGuarded() {
    return { totalResultSize: 1, data: [{ id: 1, name: 'Spring', state: 'enabled', tags: ['spring', 'mail'] }] };
  }

  benchUnguarded() {
    return { totalResultSize: 1, data: [{ id: 1, name: 'Spring', state: 'enabled', tags: ['spring', 'mail'] }] };
  }
}
declare(BenchController, 'benchGuarded', [
  Get('guarded/:applicationId'),
  KeyAccess('Answer to a key', { session: 'any' }),
]);
declare(BenchController, 'benchUnguarded', [Get('unguarded/:applicationId'), Public('Answer to anyone')]);
Controller('v1/bench')(BenchController);

class BenchModule {}
Module({ controllers: [BenchController] })(BenchModule);

class RootModule {}
Module({ imports: [AppModule, BenchModule] })(RootModule);

const nest = await NestFactory.create(RootModule, createServerAdapter(), {
  ...APPLICATION_OPTIONS,
  logger: ['error', 'warn'],
});
const config = nest.get(Config);
const logger = createLogger(config.LOG_LEVEL);
nest.useLogger(new NestLogger(logger));
const app = await prepareApplication(nest, logger);
app.enableShutdownHooks();
if (process.env.USAGE === 'off') {
  app.get(UsageRecorder).record = () => undefined;
}
await app.listen(config.PORT, config.HOST);

/** Applies decorators to a method, as TypeScript does. */
function declare(target, name, decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  decorators.forEach((decorate) => decorate(target.prototype, name, descriptor));
}
