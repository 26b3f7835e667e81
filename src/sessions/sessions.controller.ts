import { Body, Controller, Delete, Get, Header, HttpCode, Ip, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { CurrentCaller, Public, SignedIn } from '../access/access.decorators.js';
import type { Caller } from '../access/caller.js';
import { validAddress } from '../request/client-address.js';
import { JsonBody } from '../input/body.interceptor.js';
import { Problems } from '../problems/problems.decorator.js';
import { noteCaller } from '../request/request-notes.js';
import { Credentials, CurrentSession, NewSession, SessionsToEnd } from './sessions.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('Sessions')
@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /** Failed attempts are limited. After a few of them, the response is a 429 that says when to try again. */
  @Post()
  @Header('Cache-Control', 'no-store')
  @JsonBody(4096)
  @Public('Sign in')
  @Problems('sign-in-failed', 'too-many-attempts', 'too-busy')
  async createSession(
    @Body() credentials: Credentials,
    @Ip() address: string | undefined,
    @Req() request: Request,
  ): Promise<NewSession> {
    const session = await this.sessions.create(credentials, validAddress(address));
    noteCaller(request, { kind: 'user', id: session.userId });
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
