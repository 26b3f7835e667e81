import { Body, Controller, Get, Header, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller, Public, SignedIn } from '../access/access.decorators.js';
import type { UserPrincipal } from '../access/principal.js';
import { JsonBody } from '../http/body.interceptor.js';
import { Problems } from '../http/problems.decorator.js';
import { Credentials, CurrentSession, NewSession } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Sessions')
@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Public('Sign in')
  @Problems('sign-in-failed', 'too-busy')
  @JsonBody(4096)
  @Header('Cache-Control', 'no-store')
  @Post()
  createSession(@Body() credentials: Credentials): Promise<NewSession> {
    return this.sessions.create(credentials);
  }

  @SignedIn('Who am I?')
  @Get('current')
  getCurrentSession(@Caller() caller: UserPrincipal): Promise<CurrentSession> {
    return this.sessions.current(caller);
  }
}
