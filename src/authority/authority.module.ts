import { Global, Module } from '@nestjs/common';
import { ChangesModule } from '../audit/changes.module.js';
import { AuthorityWatch } from './authority-watch.js';
import { Transactions } from './transactions.js';

/** Provides every module with `Transactions` and the watch over requests in progress. */
@Global()
@Module({
  imports: [ChangesModule],
  providers: [Transactions, AuthorityWatch],
  exports: [Transactions, AuthorityWatch],
})
export class AuthorityModule {}
