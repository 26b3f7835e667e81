import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { KeyAccess } from '../access/access.decorators.js';
import { NewVerification, Verification } from './verifications.dto.js';
import { VerificationsService } from './verifications.service.js';

@ApiTags('Verification')
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
