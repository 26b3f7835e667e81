import 'reflect-metadata';
import { readConfig } from '../config/config.js';
import { mysqlOptions } from './data-source.js';

describe('the address of a MySQL server', () => {
  const optionsOf = (DATABASE_URL: string): ReturnType<typeof mysqlOptions> =>
    mysqlOptions(readConfig({ DATABASE_URL }));

  test.each([
    ['localhost', 'localhost', 3306],
    ['10.0.0.7:3307', '10.0.0.7', 3307],
    // What looks a name up does not know it in brackets.
    ['[::1]', '::1', 3306],
    ['[fd00::7]:3307', 'fd00::7', 3307],
  ])('%s is reached', (authority, host, port) => {
    expect(optionsOf(`mysql://u:pw@${authority}/latchkey`)).toMatchObject({ host, port });
  });

  test('is spoken to over TLS exactly if it says so', () => {
    expect(optionsOf('mysql://u:pw@localhost/latchkey?ssl=true').ssl).toEqual({});
    expect(optionsOf('mysql://u:pw@localhost/latchkey?ssl=false').ssl).toBeUndefined();
    expect(optionsOf('mysql://u:pw@localhost/latchkey').ssl).toBeUndefined();
  });
});
