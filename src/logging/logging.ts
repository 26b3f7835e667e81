import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { redact, withoutSecrets } from './redaction.js';

/** How lines look to people. The line of a request is a sentence. */
const READABLE: PinoPretty.PrettyOptions = {
  sync: true,
  translateTime: 'SYS:HH:MM:ss.l',
  singleLine: true,
  ignore: 'method,path,status,durationMs,code',
  messageFormat: ({ msg, method, path, status, durationMs, code }) =>
    typeof method === 'string'
      ? [method, path, status, code, `(${durationMs} ms)`, msg === 'aborted' && msg].filter(Boolean).join(' ')
      : String(msg),
};

/** How long pending lines may take to be written when the process ends, in milliseconds. */
const LAST_LINES_MS = 1000;

/**
 * Creates the logger of the process. It writes JSON lines, or readable lines on a terminal. It redacts secrets at every
 * level.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: (object) => withoutSecrets(object) },
    // `withoutSecrets` has already described all errors.
    serializers: { err: (error: unknown) => error },
    hooks: { streamWrite: redact },
  };
  if (destination) {
    return pino(options, destination);
  }
  // Writes do not block, because a slow reader must not delay a decision. With a `minLength`, `flush` waits as well.
  return pino(options, process.stdout.isTTY ? PinoPretty(READABLE) : pino.destination({ sync: false, minLength: 1 }));
}

/**
 * Ends a log. Resolves when everything is written, or when the destination has accepted nothing for too long. The rest
 * is then discarded, because sonic-boom would otherwise retry forever while the process exits. Nothing can be logged
 * afterwards.
 */
export async function endLog(logger: Logger): Promise<void> {
  type Destination = ReturnType<typeof pino.destination>;
  const { [pino.symbols.streamSym]: stream } = logger as Logger & { [pino.symbols.streamSym]: Partial<Destination> };
  const { flush, destroy } = stream;
  if (flush && destroy) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, LAST_LINES_MS);
      flush.call(stream, () => resolve());
    });
    destroy.call(stream);
  }
}

/**
 * The contexts in which Nest logs while it starts, such as a line for every route. The OpenAPI document shows the
 * routes better.
 */
const STARTING = ['InstanceLoader', 'NestApplication', 'NestFactory', 'RouterExplorer', 'RoutesResolver'];

/** Passes the log lines of Nest to the logger of the process. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    const level = context !== undefined && STARTING.includes(context) ? 'debug' : 'info';
    this.logger[level]({ context }, String(message));
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
