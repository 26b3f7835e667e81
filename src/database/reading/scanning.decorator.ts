import { createParamDecorator, type ExecutionContext, Injectable, type PipeTransform } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Problem } from '../../problems/problem.js';
import { notesOf } from '../../request/request-notes.js';
import { type Scan, ScanTurns } from './scan-turns.js';

interface Exchange {
  request: Request;
  response: Response;
}

@Injectable()
class ScanPipe implements PipeTransform<Exchange, Scan> {
  constructor(private readonly turns: ScanTurns) {}

  transform({ request, response }: Exchange): Scan {
    const { caller } = notesOf(request);
    if (!caller) {
      throw new Error('a scan needs a caller, and this endpoint is public');
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Problem('body-incomplete', 'The client is gone.')));
    return this.turns.begin(caller, gone.signal);
  }
}

const exchangeOf = createParamDecorator((_data: unknown, context: ExecutionContext): Exchange => {
  const http = context.switchToHttp();
  return { request: http.getRequest<Request>(), response: http.getResponse<Response>() };
});

/** Gives a handler the turns in which it may scan: those of its caller, until the client is gone. */
export const Scanning = (): ParameterDecorator => exchangeOf(ScanPipe);
