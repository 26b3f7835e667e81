import { createParamDecorator, type ExecutionContext, Injectable, type PipeTransform } from '@nestjs/common';
import type { Request } from 'express';
import { Problem } from '../../problems/problem.js';
import { contextOf } from '../../request/request-context.js';
import { type Scan, ScanTurns } from './scan-turns.js';

@Injectable()
class ScanPipe implements PipeTransform<Request, Scan> {
  constructor(private readonly turns: ScanTurns) {}

  transform(request: Request): Scan {
    const context = contextOf(request);
    if (!context.principal) {
      throw new Error('a scan needs a caller, and this endpoint is public');
    }
    const gone = new AbortController();
    context.onClose(() => gone.abort(new Problem('body-incomplete', 'The client has disconnected.')));
    return this.turns.begin(context.principal, gone.signal);
  }
}

const requestOf = createParamDecorator((_data: unknown, context: ExecutionContext): Request =>
  context.switchToHttp().getRequest<Request>(),
);

/** Gives a handler the scan turns of its caller, until the client disconnects. */
export const Scanning = (): ParameterDecorator => requestOf(ScanPipe);
