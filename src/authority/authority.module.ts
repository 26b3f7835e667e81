import { Global, Module } from '@nestjs/common';
import { ChangesModule } from '../audit/changes.module.js';
import { AuthorityWatch } from './authority-watch.js';
import { Transactions } from './transactions.js';

/** Gives every module the one way to write, and the watch over what is in progress. */
@Global()
@Module({
  imports: [ChangesModule],
  providers: [Transactions, AuthorityWatch],
  exports: [Transactions, AuthorityWatch],
})
export class AuthorityModule {}
