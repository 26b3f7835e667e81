// Serves one unguarded route with Nest, to show how many responses per second this stack can send. Express has the same
// settings as in Latchkey, and there is no middleware. BODY_BYTES makes its response as long as that of forward auth.
import 'reflect-metadata';
import { Controller, Get, Header, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';

const body = 'x'.repeat(Number(process.env.BODY_BYTES));

class AnswerController {
  answer() {
    return body;
  }
}
const descriptor = Object.getOwnPropertyDescriptor(AnswerController.prototype, 'answer');
Get()(AnswerController.prototype, 'answer', descriptor);
Header('Cache-Control', 'no-store')(AnswerController.prototype, 'answer', descriptor);
Controller('v1/forward_auth/original/bench')(AnswerController);

class RootModule {}
Module({ controllers: [AnswerController] })(RootModule);

const server = express();
server.set('case sensitive routing', true);
server.set('strict routing', true);
server.set('query parser', 'simple');
server.set('etag', false);
server.disable('x-powered-by');
const app = await NestFactory.create(RootModule, new ExpressAdapter(server), { bodyParser: false, logger: ['error'] });
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT), '127.0.0.1');
