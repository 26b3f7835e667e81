import 'reflect-metadata';
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
  test('needs nothing', () => {
    expect(readConfig({})).toEqual(new Config());
    expect(readConfig({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      DATABASE_URL: 'sqlite:./data/latchkey.sqlite',
      SESSION_LIFETIME_HOURS: 12,
      DECISION_WAIT_MS: 1000,
    });
  });

  test('cannot be changed once it is read', () => {
    const config = readConfig({ PORT: '80' });
    expect(() => Object.assign(config, { PORT: 81 })).toThrow(TypeError);
  });

  test('an empty variable counts as absent, and a foreign one is none of ours', () => {
    expect(readConfig({ PORT: '', ADMIN_EMAIL: '', TRUST_PROXY: '', PATH: '/bin', npm_config_x: '1' })).toEqual(
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

  test('takes a password of any characters, percent-encoded', () => {
    const DATABASE_URL = `mysql://u:${encodeURIComponent('p@#/%:?ß')}@localhost/latchkey`;
    expect(readConfig({ DATABASE_URL }).DATABASE_URL).toBe(DATABASE_URL);
  });

  test('lists every fault in one message, by variable and never by value', () => {
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

  test.each([
    ['a first admin without a password', { ADMIN_EMAIL: 'a@example.com' }],
    ['a password without a first admin', { ADMIN_PASSWORD: 'correct horse battery' }],
    ['a short password', { ADMIN_EMAIL: 'a@example.com', ADMIN_PASSWORD: 'x'.repeat(11) }],
    ['another database', { DATABASE_URL: 'postgres://localhost/latchkey' }],
    ['a MySQL server without a database', { DATABASE_URL: 'mysql://localhost' }],
    ['a password with a # in it', { DATABASE_URL: 'mysql://u:pa#ss@localhost/latchkey' }],
    ['a password that ends in what looks like a port', { DATABASE_URL: 'mysql://u:12#ss@localhost/latchkey' }],
    ['a password with a / in it', { DATABASE_URL: 'mysql://u:pa/ss@localhost/latchkey' }],
    ['a password with a % in it', { DATABASE_URL: 'mysql://u:pa%ss@localhost/latchkey' }],
    ['a MySQL port that is no number', { DATABASE_URL: 'mysql://u:pw@localhost:port/latchkey' }],
    ['a port that is no number', { PORT: '80x' }],
    ['a negative port', { PORT: '-1' }],
    ['an endless wait', { DECISION_WAIT_MS: 'Infinity' }],
  ])('%s is refused', (_name, environment) => {
    expect(faultsOf(environment)).not.toBe('');
  });
});
