import { plainToInstance, Transform } from 'class-transformer';
import {
  IsAscii,
  IsBoolean,
  IsEmail,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  ValidateBy,
  validateSync,
} from 'class-validator';
import { readTrustedProxies, type TrustedProxies } from './trusted-proxies.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** `true`/`false`/`1`/`0` and nothing else; any other text stays a string and is refused by `@IsBoolean()`. */
const Switch = () =>
  Transform(({ value }: { value: unknown }) =>
    value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value,
  );

/** A whole number within bounds, written in decimal digits and nothing else. */
function WholeNumber(min: number, max: number): PropertyDecorator {
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value,
  );
  const check = ValidateBy(
    {
      name: 'isWholeNumber',
      validator: { validate: (value) => Number.isInteger(value) && value >= min && value <= max },
    },
    { message: `$property must be a whole number from ${min} to ${max}, in digits` },
  );
  return (target, property) => {
    read(target, property);
    check(target, property);
  };
}

/** A comma-separated list; empty entries are dropped. */
const List = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((entry) => entry.trim())
          .filter((entry) => entry !== '')
      : value,
  );

const DATABASE_URL_FAULT =
  'DATABASE_URL must be sqlite:<file> or mysql://user:password@host:port/database, in which user and password are percent-encoded, with nothing but ?ssl=true or ?ssl=false behind it';
const TRUST_PROXY_FAULT =
  'TRUST_PROXY must be a number of hops from 0 to 99, or addresses, CIDRs, loopback, linklocal and uniquelocal, separated by commas';

/**
 * Whether every part can be read: a `#`, `/` or `%` of a password that is not encoded makes another URL of it, and who asks
 * for TLS in other words than ours may not get a connection without.
 */
function isDatabaseUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !/^(sqlite:.+|mysql:\/\/[^/]+\/[^/?#]+(\?ssl=(true|false))?)$/s.test(value)) {
    return false;
  }
  if (value.startsWith('sqlite:')) {
    // Every connection would have a database of its own.
    return value !== 'sqlite::memory:';
  }
  try {
    const { hostname, username, password, pathname } = new URL(value);
    const parts = [username, password, pathname.slice(1)].map((part) => decodeURIComponent(part));
    return hostname !== '' && parts[2] !== '';
  } catch {
    return false;
  }
}

/**
 * The configuration of one process, read once from the environment (and from `.env`, which the environment overrides).
 * A property's name is its variable's name, so that one word greps across code, README and deployment.
 * An empty or blank variable counts as absent.
 */
export class Config {
  /** TCP port to listen on; 0 picks a free one. */
  @WholeNumber(0, 65535)
  readonly PORT: number = 3000;

  /** Address to listen on. `0.0.0.0` opens it to the network. */
  @IsString()
  @Matches(/^[A-Za-z0-9.:-]+$/)
  readonly HOST: string = '127.0.0.1';

  /** `sqlite:<file>` or `mysql://user:password@host:port/database`. */
  @ValidateBy({ name: 'isDatabaseUrl', validator: { validate: isDatabaseUrl } }, { message: DATABASE_URL_FAULT })
  readonly DATABASE_URL: string = 'sqlite:./data/latchkey.sqlite';

  /** Connections of the MySQL pool that serves everything but decisions. */
  @WholeNumber(1, 1000)
  readonly DATABASE_POOL_SIZE: number = 10;

  /** Milliseconds that a request waits for a MySQL connection, and for the answer to each statement; past them, 503. */
  @WholeNumber(2000, 600_000)
  readonly DATABASE_WAIT_MS: number = 10_000;

  /** E-mail address of the first admin; used only while there is no user at all. */
  @IsOptional()
  @IsAscii()
  @IsEmail({ allow_utf8_local_part: false })
  readonly ADMIN_EMAIL?: string;

  /** Password of the first admin, 15 to 128 characters and hard to guess; used, and checked, only while there is no user. */
  @IsOptional()
  @IsString()
  readonly ADMIN_PASSWORD?: string;

  /** Hours until a session ends, counted from sign-in. */
  @WholeNumber(1, 8760)
  readonly SESSION_LIFETIME_HOURS: number = 12;

  /** The longest lifetime that an admin may give to a key, in days; absent = no limit. */
  @IsOptional()
  @WholeNumber(1, 36500)
  readonly API_KEY_LIFETIME_DAYS_MAX?: number;

  /** Milliseconds from the arrival of a request within which a decision must be made; past it the answer is 503. */
  @WholeNumber(10, 60_000)
  readonly DECISION_WAIT_MS: number = 1000;

  /** Connections that clients may hold at once; more are closed as soon as they are opened. */
  @WholeNumber(10, 1_000_000)
  readonly CONNECTIONS_MAX: number = 10_000;

  /** Largest upload, in bytes. */
  @WholeNumber(1024, 1024 ** 4)
  readonly UPLOAD_BYTES_MAX: number = 100 * 1024 * 1024;

  /** Uploads that may be in progress at once in this process; more are answered 503. One user's may be half of them. */
  @WholeNumber(1, 100)
  readonly IMPORTS_CONCURRENT_MAX: number = 4;

  /** Least severe level that is logged. */
  @IsIn(LOG_LEVELS)
  readonly LOG_LEVEL: (typeof LOG_LEVELS)[number] = 'info';

  /** Whose `X-Forwarded-For` counts: a number of hops, or addresses and CIDRs separated by commas. Default: nobody's. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (readTrustedProxies(value) ?? value) : value,
  )
  @ValidateBy(
    { name: 'isTrustedProxies', validator: { validate: (value) => typeof value !== 'string' } },
    { message: TRUST_PROXY_FAULT },
  )
  readonly TRUST_PROXY?: TrustedProxies;

  /** Origins that browsers may call from, separated by commas. Default: none, CORS is off. */
  @IsOptional()
  @List()
  @Matches(/^https?:\/\/[^/,\s]+$/, { each: true })
  readonly CORS_ORIGINS?: string[];

  /** Whether `/docs` (Swagger UI) and `/openapi.json` are served. */
  @Switch()
  @IsBoolean()
  readonly DOCS_ENABLED: boolean = true;

  /** Whether `/metrics` is served. */
  @Switch()
  @IsBoolean()
  readonly METRICS_ENABLED: boolean = true;
}

/** The environment is not usable; the message lists every fault, by variable and never by value. */
export class ConfigurationError extends Error {}

/** Reads and checks the environment. Throws one `ConfigurationError` that names all faults. */
export function readConfig(environment: Readonly<Record<string, unknown>>): Config {
  const known = Object.keys(new Config());
  const optional = ['ADMIN_EMAIL', 'ADMIN_PASSWORD', 'API_KEY_LIFETIME_DAYS_MAX', 'TRUST_PROXY', 'CORS_ORIGINS'];
  const given = Object.fromEntries(
    [...known, ...optional].flatMap((name) => {
      const value = environment[name];
      return value === undefined || (typeof value === 'string' && value.trim() === '') ? [] : [[name, value]];
    }),
  );
  const config = plainToInstance(Config, given, { exposeDefaultValues: true });
  const faults = validateSync(config).flatMap((fault) => Object.values(fault.constraints ?? {}));
  if ((config.ADMIN_EMAIL === undefined) !== (config.ADMIN_PASSWORD === undefined)) {
    faults.push('ADMIN_EMAIL and ADMIN_PASSWORD must be given together');
  }
  if (faults.length > 0) {
    throw new ConfigurationError(`The environment is not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
  return Object.freeze(config);
}
