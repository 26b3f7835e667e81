import 'reflect-metadata';
import { readConfig } from '../config/config.js';
import { mysqlOptions } from './data-source.js';

describe('the URL of a MySQL server', () => {
  const optionsOf = (DATABASE_URL: string): ReturnType<typeof mysqlOptions> =>
    mysqlOptions(readConfig({ DATABASE_URL }));

  test.each([
    ['localhost', 'localhost', 3306],
    ['10.0.0.7:3307', '10.0.0.7', 3307],
    // A lookup of the host does not accept brackets.
    ['[::1]', '::1', 3306],
    ['[fd00::7]:3307', 'fd00::7', 3307],
  ])('with the authority %s leads to the host %s and port %i', (authority, host, port) => {
    expect(optionsOf(`mysql://u:pw@${authority}/latchkey`)).toMatchObject({ host, port });
  });

  test('enables TLS exactly if it contains ssl=true', () => {
    expect(optionsOf('mysql://u:pw@localhost/latchkey?ssl=true').ssl).toEqual({});
    expect(optionsOf('mysql://u:pw@localhost/latchkey?ssl=false').ssl).toBeUndefined();
    expect(optionsOf('mysql://u:pw@localhost/latchkey').ssl).toBeUndefined();
  });
});
