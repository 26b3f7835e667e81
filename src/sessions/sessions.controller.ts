import { Body, Controller, Delete, Get, Header, HttpCode, Ip, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Caller, Public, SignedIn } from '../access/access.decorators.js';
import type { UserPrincipal } from '../access/principal.js';
import { JsonBody } from '../http/body.interceptor.js';
import { Problems } from '../http/problems.decorator.js';
import { Credentials, CurrentSession, NewSession, SessionsToEnd } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Sessions')
@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /** Failed attempts are bounded: after a few, the answer is 429 and says when to try again. */
  @Post()
  @Header('Cache-Control', 'no-store')
  @JsonBody(4096)
  @Public('Sign in')
  @Problems('sign-in-failed', 'too-many-attempts', 'too-busy')
  createSession(@Body() credentials: Credentials, @Ip() address: string): Promise<NewSession> {
    return this.sessions.create(credentials, address);
  }

  @Delete()
  @HttpCode(204)
  @SignedIn('Sign out')
  destroySession(@Caller() caller: UserPrincipal, @Query() { all }: SessionsToEnd): Promise<void> {
    return this.sessions.end(caller, all);
  }

  @Get('current')
  @SignedIn('Who am I?')
  getCurrentSession(@Caller() caller: UserPrincipal): Promise<CurrentSession> {
    return this.sessions.current(caller);
  }
}
