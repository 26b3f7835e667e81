import { isUtf8 } from 'node:buffer';
import { MIMEType } from 'node:util';
import {
  type CallHandler,
  type CustomDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Observable } from 'rxjs';
import { askForBody } from '../request/expect-continue.js';
import { findRoundedInteger } from './exact-numbers.js';
import { invalid } from '../problems/invalid.js';
import { Problem } from '../problems/problem.js';
import { refuseUnstorable } from './storable.js';

const BODY = 'latchkey:body';
const JSON_BYTES_MAX = 100 * 1024;
/** A JSON body must have arrived whole within this time. */
const BODY_WAIT_MS = 15_000;

type BodyDeclaration = { kind: 'json' | 'unparsed'; bytesMax: number } | { kind: 'streamed' };

type WholeBody = Exclude<BodyDeclaration, { kind: 'streamed' }>;

/** This endpoint's JSON body may have up to so many bytes (100 KB where nothing is said). */
export const JsonBody = (bytesMax: number): CustomDecorator =>
  SetMetadata(BODY, { kind: 'json', bytesMax } satisfies BodyDeclaration);

/**
 * This endpoint takes its JSON body of up to so many bytes as a `Buffer`, and parses it where a large one holds up
 * nobody else.
 */
export const UnparsedJsonBody = (bytesMax: number): CustomDecorator =>
  SetMetadata(BODY, { kind: 'unparsed', bytesMax } satisfies BodyDeclaration);

/** This endpoint reads its body itself, as a stream. */
export const StreamedBody = (): CustomDecorator => SetMetadata(BODY, { kind: 'streamed' } satisfies BodyDeclaration);

/**
 * Reads the JSON body of a request, after the guard let it in and before its handler runs: nobody who may not call an
 * endpoint makes the process parse anything.
 */
@Injectable()
export class BodyInterceptor implements NestInterceptor {
  private readonly readers = new Map<number, RequestHandler>();

  constructor(private readonly reflector: Reflector) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const body = this.reflector.get<BodyDeclaration | undefined>(BODY, context.getHandler()) ?? {
      kind: 'json',
      bytesMax: JSON_BYTES_MAX,
    };
    if (body.kind !== 'streamed' && ['POST', 'PUT', 'PATCH'].includes(request.method)) {
      await this.read(request, http.getResponse<Response>(), body);
    }
    return next.handle();
  }

  private async read(request: Request, response: Response, body: WholeBody): Promise<void> {
    const announced =
      request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
    if (!announced) {
      return;
    }
    if (!request.is(['application/json', 'application/*+json'])) {
      throw new Problem('media-type-unsupported', 'Send the body as application/json.');
    }
    if (charsetOf(request.headers['content-type'] ?? '') !== 'utf-8') {
      throw notPlainUtf8();
    }
    if (Number(request.headers['content-length']) > body.bytesMax) {
      throw bodyTooLarge(body.bytesMax);
    }
    askForBody(request);
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Problem('request-timeout')), BODY_WAIT_MS);
        void this.reader(body.bytesMax)(request, response, (error?: unknown) =>
          error === undefined ? resolve() : reject(bodyProblem(error, body.bytesMax)),
        );
      });
    } finally {
      clearTimeout(timer);
    }
    if (body.kind === 'json') {
      request.body = parseJson(request.body as Uint8Array);
      refuseUnstorable(request.body);
    }
  }

  private reader(bytesMax: number): RequestHandler {
    let reader = this.readers.get(bytesMax);
    if (!reader) {
      reader = express.raw({ limit: bytesMax, inflate: false, type: () => true });
      this.readers.set(bytesMax, reader);
    }
    return reader;
  }
}

/** The encoding that a content type names; RFC 8259 has only one for JSON. */
function charsetOf(contentType: string): string {
  return new MIMEType(contentType).params.get('charset')?.toLowerCase() ?? 'utf-8';
}

/** Reads bytes as they are: to guess at letters that are not UTF-8 would make one password of many. */
function parseJson(bytes: Uint8Array): object | undefined {
  if (bytes.length === 0) {
    return undefined;
  }
  if (!isUtf8(bytes)) {
    throw new Problem('json-malformed', 'The body is not UTF-8.');
  }
  // Unlike `toString`, a decoder takes a byte order mark away.
  const text = new TextDecoder().decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('json-malformed', 'The body must be one JSON object.');
  }
  const rounded = findRoundedInteger(text);
  if (rounded !== undefined) {
    throw invalid([{ pointer: '', detail: `the number ${rounded} cannot be kept exactly: send it as text` }]);
  }
  return value;
}

function bodyTooLarge(bytesMax: number): Problem {
  return new Problem('body-too-large', `The body may have up to ${bytesMax} bytes.`);
}

function notPlainUtf8(): Problem {
  return new Problem('media-type-unsupported', 'Send the body as UTF-8, not compressed.');
}

function bodyProblem(error: unknown, bytesMax: number): Problem {
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  switch (type) {
    case 'entity.too.large':
      return bodyTooLarge(bytesMax);
    case 'encoding.unsupported':
      return notPlainUtf8();
    case 'request.aborted':
    case 'request.size.invalid':
      return new Problem('body-incomplete');
    default:
      return new Problem('internal-error', undefined, {}, { cause: error });
  }
}
