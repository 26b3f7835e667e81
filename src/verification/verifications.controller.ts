import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { KeyAccess } from '../access/access.decorators.js';
import { NewVerification, Verification } from './verifications.dto.js';
import { VerificationsService } from './verifications.service.js';

@ApiTags('Verification')
@Controller('v1/verifications')
export class VerificationsController {
  constructor(private readonly verifications: VerificationsService) {}

  /** A question that is well-formed is always answered with 200: whether the key may do that is in `valid`. */
  @Post()
  @HttpCode(200)
  @KeyAccess('Ask whether a key may do something', { session: 'admin' })
  verifyApiKey(@Body() question: NewVerification): Promise<Verification> {
    return this.verifications.verify(question);
  }
}
