import { Global, Module } from '@nestjs/common';
import { Connections } from './connections.js';

/** Provides every module with the connections of the server and the requests in progress on them. */
@Global()
@Module({
  providers: [Connections],
  exports: [Connections],
})
export class RequestModule {}
