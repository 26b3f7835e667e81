import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import { type CustomDecorator, SetMetadata } from '@nestjs/common';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { contextOf } from '../request/request-context.js';
import { findUnsafeInteger } from './unsafe-integers.js';
import { notJson } from './json-fault.js';
import { validationFailed } from '../problems/validation-failed.js';
import { Problem } from '../problems/problem.js';
import { refuseUnstorable } from './storable.js';

const BODY = 'latchkey:body';
const JSON_BYTES_MAX = 100 * 1024;
/** Timeout for receiving a JSON body. */
const BODY_WAIT_MS = 15_000;

type BodyDeclaration = { kind: 'json' | 'unparsed'; bytesMax: number } | { kind: 'streamed' };

/** A body that is read whole before the handler runs. */
export type WholeBody = Exclude<BodyDeclaration, { kind: 'streamed' }>;

const DEFAULT_BODY: WholeBody = { kind: 'json', bytesMax: JSON_BYTES_MAX };

/** Sets the size limit of the JSON body of an endpoint (default: 100 KB). */
export const JsonBody = (bytesMax: number): CustomDecorator =>
  SetMetadata(BODY, { kind: 'json', bytesMax } satisfies BodyDeclaration);

/**
 * Makes an endpoint receive its JSON body as a `Buffer`, up to this size. The endpoint parses it where a large body
 * blocks nothing else.
 */
export const UnparsedJsonBody = (bytesMax: number): CustomDecorator =>
  SetMetadata(BODY, { kind: 'unparsed', bytesMax } satisfies BodyDeclaration);

/** Makes an endpoint read its body itself, as a stream. */
export const StreamedBody = (): CustomDecorator => SetMetadata(BODY, { kind: 'streamed' } satisfies BodyDeclaration);

/** Returns how the body of a request is to be read before its handler runs; undefined if there is none to read. */
export function bodyOf(request: IncomingMessage, handler: object): WholeBody | undefined {
  const { headers, method = '' } = request;
  const isAnnounced = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
  if (!isAnnounced || !['POST', 'PUT', 'PATCH'].includes(method)) {
    return undefined;
  }
  const body = (Reflect.getMetadata(BODY, handler) as BodyDeclaration | undefined) ?? DEFAULT_BODY;
  return body.kind === 'streamed' ? undefined : body;
}

/** Reads a body into `request.body`. Rejects with a problem, or with the reason when the request is interrupted. */
export async function readBody(request: Request, response: Response, body: WholeBody): Promise<void> {
  if (!request.is(['application/json', 'application/*+json'])) {
    throw new Problem('media-type-unsupported', 'Send the body as application/json.');
  }
  if (charsetOf(request.headers['content-type'] ?? '') !== 'utf-8') {
    throw notPlainUtf8();
  }
  if (Number(request.headers['content-length']) > body.bytesMax) {
    throw bodyTooLarge(body.bytesMax);
  }
  const context = contextOf(request);
  context.askForBody();
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Problem('request-timeout')), BODY_WAIT_MS);
      context.onInterrupt = reject;
      void readerOf(body.bytesMax)(request, response, (error?: unknown) =>
        error === undefined ? resolve() : reject(bodyProblem(error, body.bytesMax)),
      );
    });
  } finally {
    context.onInterrupt = undefined;
    clearTimeout(timer);
  }
  if (body.kind === 'json') {
    request.body = parseJson(request.body as Uint8Array);
    refuseUnstorable(request.body);
  }
}

const readers = new Map<number, RequestHandler>();

/** Returns the parser for bodies up to a limit in bytes. There is one for each limit. */
function readerOf(bytesMax: number): RequestHandler {
  let reader = readers.get(bytesMax);
  if (!reader) {
    reader = express.raw({ limit: bytesMax, inflate: false, type: () => true });
    readers.set(bytesMax, reader);
  }
  return reader;
}

/** Returns the encoding that a content type names. RFC 8259 allows only one for JSON. */
function charsetOf(contentType: string): string {
  return new MIMEType(contentType).params.get('charset')?.toLowerCase() ?? 'utf-8';
}

/** Parses bytes strictly: replacing invalid UTF-8 would make different passwords equal. */
function parseJson(bytes: Uint8Array): object | undefined {
  if (bytes.length === 0) {
    return undefined;
  }
  if (!isUtf8(bytes)) {
    throw new Problem('json-malformed', 'The body is not UTF-8.');
  }
  // Unlike `toString`, a decoder removes a byte order mark.
  const text = new TextDecoder().decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem('json-malformed', notJson(text));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('json-malformed', 'The body must be a JSON object: start it with "{".');
  }
  const rounded = findUnsafeInteger(text);
  if (rounded !== undefined) {
    throw validationFailed([
      { pointer: '', detail: `the number ${rounded} cannot be stored exactly: send it as a string` },
    ]);
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
