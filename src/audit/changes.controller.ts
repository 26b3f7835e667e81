import { Controller, Get, Query } from '@nestjs/common';
import { CurrentCaller, KeyAccess } from '../access/access.decorators.js';
import type { Caller } from '../access/caller.js';
import type { Scan } from '../database/reading/scan-turns.js';
import { Scanning } from '../database/reading/scanning.decorator.js';
import { ChangeList } from './change-list.js';
import { Tagged } from '../openapi/tag.decorator.js';
import { ChangePage, ChangeQuery } from './changes.dto.js';

@Tagged({
  name: 'Audit trail',
  description: 'Who changed what and when, with the state before and after.',
  place: 80,
})
@Controller('v1/changes')
export class ChangesController {
  constructor(private readonly changes: ChangeList) {}

  /**
   * Lists who changed what, and when. Keys see no addresses, and no changes of keys, services, sessions and passwords.
   */
  @Get()
  @KeyAccess('List the audit trail', { session: 'admin' })
  getChanges(
    @CurrentCaller() caller: Caller,
    @Query() query: ChangeQuery,
    @Scanning() scan: Scan,
  ): Promise<ChangePage> {
    return this.changes.list(caller, query, scan);
  }
}
