import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { AdminOnly, CurrentCaller } from '../access/access.decorators.js';
import type { Caller } from '../access/caller.js';
import type { Scan } from '../database/reading/scan-turns.js';
import { Scanning } from '../database/reading/scanning.decorator.js';
import { IdPipe } from '../input/id.pipe.js';
import { type Tag, Tagged } from '../openapi/tag.decorator.js';
import { Problems } from '../problems/problems.decorator.js';
import { ApiKeyPage, ApiKeyQuery, ApiKeyView, MintedApiKey, NewApiKey } from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';

/** The tag of operations on keys. */
export const API_KEYS_TAG: Tag = {
  name: 'Management API keys',
  description: 'Make, look through and delete keys. Admins only, signed in: no key gets here.',
  place: 50,
  ids: { apiKeyId: 'key' },
  examples: {
    unknown: { detail: 'There is no such key, or it was deleted.' },
    'creator-deleted': { detail: 'User 280, who created the key, was deleted.' },
    'creator-deactivated': { detail: 'User 280, who created the key, is deactivated.' },
    expired: { detail: 'The key expired at 2027-06-30T22:00:00.000Z.', expiryDate: '2027-06-30T22:00:00.000Z' },
    'no-application-left': { detail: 'All Applications that the key was limited to were deleted.' },
    'api-key-not-found': { detail: 'There is no key 34.' },
  },
};

@Tagged(API_KEYS_TAG)
@Controller('v1/api_keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeysService) {}

  /** Only this response ever contains the secret of the key: copy it now. The key works at once. */
  @Post()
  @AdminOnly('Create a key')
  createApiKey(@CurrentCaller() caller: Caller, @Body() request: NewApiKey): Promise<MintedApiKey> {
    return this.apiKeys.create(caller, request);
  }

  @Get()
  @AdminOnly('List keys')
  listApiKeys(@Query() query: ApiKeyQuery, @Scanning() scan: Scan): Promise<ApiKeyPage> {
    return scan.inTurn(() => this.apiKeys.list(query));
  }

  @Get(':apiKeyId')
  @AdminOnly('Get a key')
  @Problems('api-key-not-found')
  getApiKey(@Param('apiKeyId', IdPipe) apiKeyId: number): Promise<ApiKeyView> {
    return this.apiKeys.get(apiKeyId);
  }

  /** The key stops at once and for ever. No replica accepts a request with it that starts after this response. */
  @Delete(':apiKeyId')
  @HttpCode(204)
  @AdminOnly('Delete a key')
  @Problems('api-key-not-found')
  deleteApiKey(@CurrentCaller() caller: Caller, @Param('apiKeyId', IdPipe) apiKeyId: number): Promise<void> {
    return this.apiKeys.delete(caller, apiKeyId);
  }
}
