import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { pinoHttp, type HttpLogger } from 'pino-http';
import { requestIdOf } from './request-id.js';

const SECRETS = /lk[ms]_[0-9A-Za-z]{20,}/g;

/** Takes everything that looks like a key or a token out of a text. */
export function redact(text: string): string {
  return text.replaceAll(SECRETS, '[redacted]');
}

/** The process's logger: JSON lines, or readable ones on a terminal. No secret gets through it at any level. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    redact: {
      paths: [
        'req.headers.authorization',
        'req.headers.cookie',
        '*.password',
        '*.token',
        '*.key',
        'password',
        'token',
        'key',
      ],
      censor: '[redacted]',
    },
    hooks: {
      streamWrite: redact,
    },
  };
  if (destination) {
    return pino(options, destination);
  }
  return process.stdout.isTTY ? pino({ ...options, transport: { target: 'pino-pretty' } }) : pino(options);
}

/** Lets Nest log through the process's logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    this.logger.info({ context }, String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    if (message instanceof Error) {
      this.logger.error({ context, err: message }, message.message);
    } else {
      this.logger.error({ context, ...(rest.length > 1 && { stack: rest[0] }) }, String(message));
    }
  }

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message));
  }

  debug(message: unknown, context?: string): void {
    this.logger.debug({ context }, String(message));
  }

  verbose(message: unknown, context?: string): void {
    this.logger.trace({ context }, String(message));
  }
}

/** Logs one line per request, when it has been answered. */
export function createRequestLog(logger: Logger): HttpLogger {
  return pinoHttp({
    logger,
    genReqId: requestIdOf,
    serializers: {
      req: (request: { id: string; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        url: request.url,
      }),
      res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
    },
  });
}
