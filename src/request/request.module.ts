import { Global, Module } from '@nestjs/common';
import { Connections } from './connections.js';

/** Lets every module see the connections of the server and the requests in progress on them. */
@Global()
@Module({
  providers: [Connections],
  exports: [Connections],
})
export class RequestModule {}
