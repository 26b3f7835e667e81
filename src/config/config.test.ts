import 'reflect-metadata';
import express from 'express';
import { Config, ConfigurationError, readConfig } from './config.js';

function faultsOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.message;
    }
    throw error;
  }
  return '';
}

describe('the configuration', () => {
  test('has a default for each variable', () => {
    expect(readConfig({})).toEqual(new Config());
    expect(readConfig({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      DATABASE_URL: 'sqlite:./data/latchkey.sqlite',
      SESSION_LIFETIME_HOURS: 12,
      DECISION_WAIT_MS: 1000,
    });
  });

  test('is read-only', () => {
    const config = readConfig({ PORT: '80' });
    expect(() => Object.assign(config, { PORT: 81 })).toThrow(TypeError);
  });

  test('treats an empty variable as absent and ignores unknown variables', () => {
    expect(readConfig({ PORT: '  ', ADMIN_EMAIL: '', TRUST_PROXY: '\t', PATH: '/bin', npm_config_x: '1' })).toEqual(
      new Config(),
    );
  });

  test('reads numbers, switches and lists', () => {
    expect(
      readConfig({
        PORT: '0',
        DOCS_ENABLED: 'false',
        METRICS_ENABLED: '1',
        CORS_ORIGINS: 'https://a.example, https://b.example:8443',
      }),
    ).toMatchObject({
      PORT: 0,
      DOCS_ENABLED: false,
      METRICS_ENABLED: true,
      CORS_ORIGINS: ['https://a.example', 'https://b.example:8443'],
    });
  });

  test.each<[string, number | string[]]>([
    ['0', 0],
    ['1', 1],
    ['99', 99],
    ['10.0.0.7', ['10.0.0.7']],
    ['10.0.0.0/8, fd00::/8,::1', ['10.0.0.0/8', 'fd00::/8', '::1']],
    ['::ffff:10.0.0.0/104', ['::ffff:10.0.0.0/104']],
    ['loopback,linklocal, uniquelocal,', ['loopback', 'linklocal', 'uniquelocal']],
  ])('accepts %s as TRUST_PROXY, and so does Express', (TRUST_PROXY, read) => {
    const config = readConfig({ TRUST_PROXY });
    expect(config.TRUST_PROXY).toEqual(read);
    expect(() => express().set('trust proxy', config.TRUST_PROXY)).not.toThrow();
  });

  test.each([
    'abcd',
    '1.2.3',
    '10.0.0.0/33',
    '10.0.0.0/99',
    '10.0.0.0/0',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '010.0.0.1',
    '::/0',
    'fd00::/129',
    'fe80::1%eth0',
    '1,2',
    '1,10.0.0.7',
    '100',
    '999',
    '-1',
    '1.5',
    'true',
    ',',
    'Loopback',
    'proxy.example',
  ])('refuses %s as TRUST_PROXY', (TRUST_PROXY) => {
    const message = faultsOf({ TRUST_PROXY });
    expect(message).toMatch(/^The environment is not usable:\n  - TRUST_PROXY [^\n]*$/);
    expect(message).not.toContain(` ${TRUST_PROXY}`);
  });

  test.each(['0x50', '8e1', '80.0', '+80', ' 80', '-0', '８０'])('refuses a number written as %j', (number) => {
    expect(faultsOf({ PORT: number })).toContain('PORT');
    expect(faultsOf({ SESSION_LIFETIME_HOURS: number })).toContain('SESSION_LIFETIME_HOURS');
  });

  test('accepts a percent-encoded database password of any characters', () => {
    const DATABASE_URL = `mysql://u:${encodeURIComponent('p@#/%:?ß')}@localhost/latchkey`;
    expect(readConfig({ DATABASE_URL }).DATABASE_URL).toBe(DATABASE_URL);
  });

  test.each(['', '?ssl=true', '?ssl=false'])('accepts the URL of a database with the query %j', (query) => {
    const DATABASE_URL = `mysql://u:pw@[::1]:3307/latchkey${query}`;
    expect(readConfig({ DATABASE_URL }).DATABASE_URL).toBe(DATABASE_URL);
  });

  test('lists all faults in one message, with the names of the variables but not their values', () => {
    const message = faultsOf({
      PORT: '65536',
      HOST: 'not a host!',
      DATABASE_URL: 'mysql://root:s3cr3t-of-the-database',
      ADMIN_PASSWORD: 's3cr3t-pw',
      SESSION_LIFETIME_HOURS: '1.5',
      DECISION_WAIT_MS: 'soon',
      LOG_LEVEL: 'loud',
      TRUST_PROXY: 'true',
      CORS_ORIGINS: '*',
      DOCS_ENABLED: 'yes',
    });
    for (const name of [
      'PORT',
      'HOST',
      'DATABASE_URL',
      'ADMIN_PASSWORD',
      'ADMIN_EMAIL',
      'SESSION_LIFETIME_HOURS',
      'DECISION_WAIT_MS',
      'LOG_LEVEL',
      'TRUST_PROXY',
      'CORS_ORIGINS',
      'DOCS_ENABLED',
    ]) {
      expect(message).toContain(name);
    }
    expect(message).not.toContain('s3cr3t');
    expect(message).not.toContain('65536');
  });

  test('explains for each fault which values are valid, without regular expressions', () => {
    const wrong = {
      PORT: 'http',
      HOST: 'not a host!',
      DATABASE_URL: 'postgres://localhost/latchkey',
      ADMIN_EMAIL: 'adä',
      ADMIN_PASSWORD: 'correct horse battery',
      LOG_LEVEL: 'loud',
      TRUST_PROXY: 'true',
      CORS_ORIGINS: 'example.com',
      DOCS_ENABLED: 'yes',
    };
    const [, ...faults] = faultsOf(wrong).split('\n');
    expect(faults.map((line) => line.trim().split(' ')[1]).sort()).toEqual(
      Object.keys(wrong)
        .filter((name) => name !== 'ADMIN_PASSWORD')
        .sort(),
    );
    for (const line of faults) {
      expect(line).toMatch(/ must be (?:.*, such as |one of |true or false)/);
      expect(line).not.toMatch(/[\\^$]/);
    }
  });

  test.each([
    ['a first admin without a password', { ADMIN_EMAIL: 'a@example.com' }],
    ['a password without a first admin', { ADMIN_PASSWORD: 'correct horse battery' }],
    ['an unknown kind of database', { DATABASE_URL: 'postgres://localhost/latchkey' }],
    ['a MySQL server without a database', { DATABASE_URL: 'mysql://localhost' }],
    ['a password with an unescaped #', { DATABASE_URL: 'mysql://u:pa#ss@localhost/latchkey' }],
    ['a password whose beginning looks like a port', { DATABASE_URL: 'mysql://u:12#ss@localhost/latchkey' }],
    ['a password with an unescaped /', { DATABASE_URL: 'mysql://u:pa/ss@localhost/latchkey' }],
    ['a password with an unescaped %', { DATABASE_URL: 'mysql://u:pa%ss@localhost/latchkey' }],
    ['a MySQL port that is not a number', { DATABASE_URL: 'mysql://u:pw@localhost:port/latchkey' }],
    ['another value of ssl', { DATABASE_URL: 'mysql://u:pw@localhost/latchkey?ssl=1' }],
    ['a value of ssl in capitals', { DATABASE_URL: 'mysql://u:pw@localhost/latchkey?ssl=TRUE' }],
    ['the TLS parameter of another client', { DATABASE_URL: 'mysql://u:pw@localhost/latchkey?sslmode=require' }],
    ['another parameter after ssl=true', { DATABASE_URL: 'mysql://u:pw@localhost/latchkey?ssl=true&charset=latin1' }],
    ['ssl as both true and false', { DATABASE_URL: 'mysql://u:pw@localhost/latchkey?ssl=false&ssl=true' }],
    ['a fragment', { DATABASE_URL: 'mysql://u:pw@localhost/latchkey#ssl=true' }],
    ['a database in memory', { DATABASE_URL: 'sqlite::memory:' }],
    ['a port that is not a number', { PORT: '80x' }],
    ['a negative port', { PORT: '-1' }],
    ['an infinite wait', { DECISION_WAIT_MS: 'Infinity' }],
    ['an upload limit in exponent notation', { UPLOAD_BYTES_MAX: '1e30' }],
    ['an upload limit beyond every disk', { UPLOAD_BYTES_MAX: '9'.repeat(30) }],
  ])('refuses %s', (_name, environment) => {
    expect(faultsOf(environment)).not.toBe('');
  });
});
