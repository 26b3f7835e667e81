import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { KeyAccess } from '../access/access.decorators.js';
import { NewVerification, Verification } from './verifications.dto.js';
import { type Tag, Tagged } from '../openapi/tag.decorator.js';
import { VerificationsService } from './verifications.service.js';

/** The tag of operations on verification. */
export const VERIFICATION_TAG: Tag = {
  name: 'Verification',
  description: 'May this key do that? For services that ask, and for proxies that ask for them.',
  place: 100,
};

@Tagged(VERIFICATION_TAG)
@Controller('v1/verifications')
export class VerificationsController {
  constructor(private readonly verifications: VerificationsService) {}

  /** The response to a well-formed request is always a 200. `valid` says whether the key may make the request. */
  @Post()
  @HttpCode(200)
  @KeyAccess('Ask whether a key may do something', { session: 'admin' })
  verifyApiKey(@Body() question: NewVerification): Promise<Verification> {
    return this.verifications.verify(question);
  }
}
