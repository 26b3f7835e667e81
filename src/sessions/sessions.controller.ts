import { Body, Controller, Delete, Get, Header, HttpCode, Post, Query, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CurrentCaller, Public, SignedIn } from '../access/access.decorators.js';
import type { Caller } from '../access/caller.js';
import { JsonBody } from '../input/body.js';
import { Tagged } from '../openapi/tag.decorator.js';
import { Problems } from '../problems/problems.decorator.js';
import { contextOf } from '../request/request-context.js';
import { Credentials, CurrentSession, NewSession, SessionsToEnd } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@Tagged({
  name: 'Sessions',
  description: 'Sign in and out. The token of a session opens what its user may do.',
  place: 10,
  examples: {
    'sign-in-failed': { detail: 'The e-mail address or the password is wrong.' },
    'too-many-attempts': { detail: 'Too many failed sign-ins: try again in 900 seconds.', retryAfterSeconds: 900 },
  },
})
@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /** Failed attempts are limited. After a few of them, the response is a 429 that says when to try again. */
  @Post()
  @Header('Cache-Control', 'no-store')
  @JsonBody(4096)
  @Public('Sign in')
  @Problems('sign-in-failed', 'too-many-attempts', 'too-busy')
  async createSession(@Body() credentials: Credentials, @Req() request: Request): Promise<NewSession> {
    const context = contextOf(request);
    const session = await this.sessions.create(credentials, context.address);
    context.principal = { kind: 'user', id: session.userId };
    return session;
  }

  @Delete()
  @HttpCode(204)
  @SignedIn('Sign out')
  destroySession(@CurrentCaller() caller: Caller, @Query() { all }: SessionsToEnd): Promise<void> {
    return this.sessions.end(caller, all);
  }

  @Get('current')
  @SignedIn('Who am I?')
  getCurrentSession(@CurrentCaller() caller: Caller): Promise<CurrentSession> {
    return this.sessions.current(caller);
  }
}
