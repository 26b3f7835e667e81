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

/** Parses `true`/`false`/`1`/`0`. Any other text stays a string, which `@IsBoolean()` refuses. */
const Switch = () =>
  Transform(({ value }: { value: unknown }) =>
    value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value,
  );

/** Parses and checks a whole number within bounds, in decimal digits only. */
function WholeNumber(min: number, max: number, example: number): PropertyDecorator {
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value,
  );
  const check = ValidateBy(
    {
      name: 'isWholeNumber',
      validator: { validate: (value) => Number.isInteger(value) && value >= min && value <= max },
    },
    {
      message: `$property must be a whole number from ${min} to ${max}, in digits, such as ${example}`,
    },
  );
  return (target, property) => {
    read(target, property);
    check(target, property);
  };
}

/** Parses a comma-separated list, without empty entries. */
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
  'DATABASE_URL must be sqlite:<file>, such as sqlite:./data/latchkey.sqlite, or mysql://user:password@host:port/database, such as mysql://latchkey:secret@127.0.0.1:3306/latchkey. Percent-encode special characters in the user and password. Only ?ssl=true or ?ssl=false may follow';
const ADMIN_EMAIL_FAULT = 'ADMIN_EMAIL must be an e-mail address in ASCII characters, such as ada@example.com';
const TRUST_PROXY_FAULT =
  'TRUST_PROXY must be a number of hops from 0 to 99, such as 1, or addresses, CIDRs, loopback, linklocal and uniquelocal, separated by commas, such as 192.168.0.7,fd00::/8';

/**
 * Checks that every part can be parsed. An unencoded `#`, `/` or `%` in a password would change the URL. A misspelled
 * `ssl` parameter could lead to a connection without TLS.
 */
function isDatabaseUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !/^(sqlite:.+|mysql:\/\/[^/]+\/[^/?#]+(\?ssl=(true|false))?)$/s.test(value)) {
    return false;
  }
  if (value.startsWith('sqlite:')) {
    // Every connection would have its own database.
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
 * Each property has the name of its variable, so that a search finds it in code, README and deployment. An empty or
 * blank variable counts as absent.
 */
export class Config {
  /** TCP port to listen on. 0 picks a free port. */
  @WholeNumber(0, 65535, 3000)
  readonly PORT: number = 3000;

  /** Address to listen on. `0.0.0.0` opens it to the network. */
  @Matches(/^[A-Za-z0-9.:-]+$/, { message: '$property must be an address or a host name, such as 127.0.0.1' })
  readonly HOST: string = '127.0.0.1';

  /** `sqlite:<file>` or `mysql://user:password@host:port/database`. */
  @ValidateBy({ name: 'isDatabaseUrl', validator: { validate: isDatabaseUrl } }, { message: DATABASE_URL_FAULT })
  readonly DATABASE_URL: string = 'sqlite:./data/latchkey.sqlite';

  /** Connections in the MySQL pool. Decisions do not use this pool. */
  @WholeNumber(1, 1000, 10)
  readonly DATABASE_POOL_SIZE: number = 10;

  /**
   * How long a request waits for a MySQL connection, and for the result of each query, in milliseconds. After that:
   * 503.
   */
  @WholeNumber(2000, 600_000, 10_000)
  readonly DATABASE_WAIT_MS: number = 10_000;

  /** E-mail address of the first admin. Used only while there are no users. */
  @IsOptional()
  @IsEmail({ allow_utf8_local_part: false }, { message: ADMIN_EMAIL_FAULT })
  @IsAscii({ message: ADMIN_EMAIL_FAULT })
  readonly ADMIN_EMAIL?: string;

  /**
   * Password of the first admin: 15 to 128 characters, hard to guess. Used and checked only while there are no users.
   */
  @IsOptional()
  @IsString()
  readonly ADMIN_PASSWORD?: string;

  /** Hours from sign-in until a session expires. */
  @WholeNumber(1, 8760, 12)
  readonly SESSION_LIFETIME_HOURS: number = 12;

  /** Longest lifetime that an admin may give to a key, in days. Absent: no limit. */
  @IsOptional()
  @WholeNumber(1, 36500, 365)
  readonly API_KEY_LIFETIME_DAYS_MAX?: number;

  /** Deadline of a decision, in milliseconds from the arrival of the request. After that: 503. */
  @WholeNumber(10, 60_000, 1000)
  readonly DECISION_WAIT_MS: number = 1000;

  /** How many connections clients may hold at once. Further connections are closed as soon as they open. */
  @WholeNumber(10, 1_000_000, 10_000)
  readonly CONNECTIONS_MAX: number = 10_000;

  /** Largest upload, in bytes. */
  @WholeNumber(1024, 1024 ** 4, 104_857_600)
  readonly UPLOAD_BYTES_MAX: number = 100 * 1024 * 1024;

  /**
   * How many uploads may be in progress at once in this process. Further uploads get a 503. One user may hold half of
   * them.
   */
  @WholeNumber(1, 100, 4)
  readonly IMPORTS_CONCURRENT_MAX: number = 4;

  /** Lowest level that is logged. */
  @IsIn(LOG_LEVELS, { message: `$property must be one of ${LOG_LEVELS.join(', ')}` })
  readonly LOG_LEVEL: (typeof LOG_LEVELS)[number] = 'info';

  /**
   * Proxies whose `X-Forwarded-For` is trusted: a number of hops, or addresses and CIDRs separated by commas. Default:
   * none.
   */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (readTrustedProxies(value) ?? value) : value,
  )
  @ValidateBy(
    { name: 'isTrustedProxies', validator: { validate: (value) => typeof value !== 'string' } },
    { message: TRUST_PROXY_FAULT },
  )
  readonly TRUST_PROXY?: TrustedProxies;

  /** Origins from which browsers may call, separated by commas. Default: none, CORS is off. */
  @IsOptional()
  @List()
  @Matches(/^https?:\/\/[^/,\s]+$/, {
    each: true,
    message: '$property must be origins separated by commas, such as https://admin.example.com,http://localhost:8080',
  })
  readonly CORS_ORIGINS?: string[];

  /** Whether `/docs` (Swagger UI) and `/openapi.json` are served. */
  @Switch()
  @IsBoolean({ message: '$property must be true or false' })
  readonly DOCS_ENABLED: boolean = true;

  /** Whether `/metrics` is served. */
  @Switch()
  @IsBoolean({ message: '$property must be true or false' })
  readonly METRICS_ENABLED: boolean = true;
}

/** The environment is invalid. The message lists every fault. It names variables, and never their values. */
export class ConfigurationError extends Error {}

/** Reads and validates the environment. Throws one `ConfigurationError` that lists all faults. */
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
  const details = validateSync(config).flatMap((fault) => Object.values(fault.constraints ?? {}));
  const faults = [...new Set(details)];
  if ((config.ADMIN_EMAIL === undefined) !== (config.ADMIN_PASSWORD === undefined)) {
    faults.push('ADMIN_EMAIL and ADMIN_PASSWORD must be given together');
  }
  if (faults.length > 0) {
    throw new ConfigurationError(`The environment is not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
  return Object.freeze(config);
}
