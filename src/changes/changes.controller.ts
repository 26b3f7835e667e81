import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller, KeyAccess } from '../access/access.decorators.js';
import type { Principal } from '../access/principal.js';
import { ChangeList } from './change-list.js';
import { ChangePage, ChangeQuery } from './changes.dto.js';

@ApiTags('Audit trail')
@Controller('v1/changes')
export class ChangesController {
  constructor(private readonly changes: ChangeList) {}

  /** Who changed what, and when. Keys are not shown what was done to keys, services and passwords. */
  @Get()
  @KeyAccess('List the audit trail', { session: 'admin' })
  getChanges(@Caller() caller: Principal, @Query() query: ChangeQuery): Promise<ChangePage> {
    return this.changes.list(caller, query);
  }
}
