import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { InvoicesModule } from './invoices.module.js';

const app = await NestFactory.create(InvoicesModule, { logger: ['error', 'warn'] });
await app.listen(process.env.PORT ?? 9000, '127.0.0.1');
console.log(`listens on ${await app.getUrl()}`);
