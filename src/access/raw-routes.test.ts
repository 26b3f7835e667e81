import {
  Controller,
  Get,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  type NestModule,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import express, { type Express, type RequestHandler } from 'express';
import { Public } from './access.decorators.js';
import { CATALOGUE_SOURCES, EndpointCatalogue } from './endpoint-catalogue.js';
import { RAW_ROUTES, refuseUndeclaredRoutes, serveRawRoute } from './raw-routes.js';

const PROVIDERS = [EndpointCatalogue, { provide: CATALOGUE_SOURCES, useValue: [] }];

@Controller('v1/things')
class Declared {
  @Get(':thingId')
  @Public('Get a thing')
  get(): void {}
}

const pass: RequestHandler = (_request, _response, next) => next();
const respond: RequestHandler = (_request, response) => void response.send('open to everybody');

@Module({ imports: [DiscoveryModule], controllers: [Declared], providers: PROVIDERS })
class Application {}

@Module({ imports: [DiscoveryModule], controllers: [Declared], providers: PROVIDERS })
class WithMiddleware implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(respond).forRoutes('backdoor');
  }
}

/** Boots only the parts that concern routes, with a route registered before the controllers. */
async function boot(register: (server: Express) => void, module = Application): Promise<void> {
  const server = express();
  register(server);
  const testing = await Test.createTestingModule({ imports: [module] }).compile();
  const app: INestApplication = testing.createNestApplication(new ExpressAdapter(server), { bodyParser: false });
  try {
    await app.init();
    refuseUndeclaredRoutes(server, app.get(EndpointCatalogue));
  } finally {
    await app.close();
  }
}

describe('before it listens, the process', () => {
  test('accepts declared routes, and middleware that passes every request on', async () => {
    await expect(boot((server) => server.use(pass))).resolves.toBeUndefined();
    await expect(boot((server) => serveRawRoute(server, RAW_ROUTES.metrics, respond))).resolves.toBeUndefined();
    await expect(boot((server) => server.get('/docs/page.css', respond))).resolves.toBeUndefined();
  });

  test.each<[string, (server: Express) => void, RegExp]>([
    ['a route', (server) => server.get('/backdoor', respond), /GET \/backdoor/],
    ['another METHOD of a declared path', (server) => server.put('/v1/things/:thingId', respond), /PUT \/v1\/things/],
    ['a declared route ahead of its own', (server) => server.get('/v1/things/:thingId', respond), /GET \/v1\/things/],
    ['a route of all METHODs', (server) => server.all('/v1/things/:thingId', respond), /DELETE \/v1\/things/],
    ['a handler on a path', (server) => server.use('/backdoor', respond), /a handler on a path/],
    ['a handler on one of several paths', (server) => server.use(['/', '/backdoor'], respond), /a handler on a path/],
    ['a handler on a pattern', (server) => server.use(/^\/back/, respond), /a handler on a path/],
    ['a handler on a parameter', (server) => server.use('/:anything', respond), /a handler on a path/],
    ['a router', (server) => server.use(express.Router().get('/backdoor', respond)), /a mounted router/],
    ['a router on a path', (server) => server.use('/back', express.Router().get('/door', respond)), /a mounted router/],
    ['an application', (server) => server.use(express().get('/backdoor', respond)), /a mounted application/],
  ])('refuses an undeclared handler: %s', async (_name, register, fault) => {
    await expect(boot(register)).rejects.toThrow(/does not start: these routes are undeclared/);
    await expect(boot(register)).rejects.toThrow(fault);
  });

  test("refuses Nest's middleware on a path", async () => {
    await expect(boot(() => undefined, WithMiddleware)).rejects.toThrow(/these routes are undeclared/);
  });
});
