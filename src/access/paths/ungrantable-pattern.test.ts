import { EndpointTree } from './endpoint-tree.js';
import { readRawPath } from './raw-path.js';
import { readUngrantablePattern } from './ungrantable-pattern.js';

const MANY = (): boolean => false;

/** Returns how paths match a tree that has these endpoints and these ungrantable operations. */
function outcomes(endpoints: string[], ungrantable: string[], paths: string[]): Record<string, string> {
  const tree = new EndpointTree<string>();
  endpoints.forEach((template) => tree.add('GET', template, template));
  ungrantable.forEach((template) => tree.addUngrantable(template, readUngrantablePattern(template, MANY)!));
  return Object.fromEntries(
    paths.map((path) => {
      const read = readRawPath(path);
      if (read.kind === 'ambiguous') return [path, 'refused'];
      const match = tree.match('GET', read);
      return [path, match.kind === 'match' ? match.value : match.kind];
    }),
  );
}

describe('beside an ungrantable operation', () => {
  test.each([
    ['/files/{id}', '/files/{name}.json', { '/files/x.json': false, '/files/X.JSON': false, '/files/x.txt': true }],
    ['/files/{id}', '/files/{name}.json', { '/files/.json': false, '/files/json': true, '/files/x.json5': true }],
    ['/v1/{name}', '/v1/{name}:cancel', { '/v1/7:cancel': false, '/v1/7%3Acancel': false, '/v1/7': true }],
    ['/{a}', '/{base}...{head}', { '/main...dev': false, '/main..dev': true }],
    ['/{a}', '/x{b}y{c}z', { '/x1y2z': false, '/xyz': false, '/xzy': true, '/1y2z': true }],
    ['/a/{b}/c', '/a/{b}.x/{c}', { '/a/1.x/c': false, '/a/1/c': true }],
    ['/a/{b}/c', '/a/{b}/{c}.x', { '/a/1.x/c': true }],
    ['/a/{b}', '/a/{rest+}', { '/a/1': true }],
    ['/a/{b}/{c}', '/a/b/{rest+}', { '/a/b/1': false, '/a/c/1': true }],
    ['/a/{b}/{c}/{d}', '/a/{x...}/z{n}/{y}', { '/a/1/2/3': true, '/a/1/z2/3': false }],
    ['/a/{b}/{c}/{d}', '/a/b/{x...}/z{n}/{y}', { '/a/b/z2/3': false, '/a/b/2/3': true }],
    ['/u/{id}', '/u/caf\u00e9', { '/u/caf%C3%A9': false, '/u/CAF%C3%89': false, '/u/cafe': false, '/u/tea': true }],
    ['/u/{id}', '/u/caf%C3%A9', { '/u/caf%C3%A9': false, '/u/tea': true }],
    ['/u/{id}', '/u/{id}/{id}', { '/u/1': true }],
    ['/u/{id}/{x}', '/u/{id}/{id}', { '/u/1/2': false }],
    ['/u/me', '/u/{a}{b}', { '/u/me': true }],
    // Some readers match literals from the right, or count them.
    ['/a/{x}', '/{y}/b{z}', { '/a/b1': false, '/a/c1': true }],
    // A parameter that matches more than one segment may have text beside it.
    ['/v1/{id}', '/v1/{name+}:cancel', { '/v1/7:cancel': false, '/v1/7': true }],
    ['/v1/jobs/{id}', '/v1/{name=jobs/*}:cancel', { '/v1/jobs/7:cancel': false, '/v1/jobs/7': true }],
    ['/v1/jobs/{id}', '/v1/{+name}:cancel', { '/v1/jobs/7:cancel': false, '/v1/jobs/7': true }],
    ['/v1/{a}/{b}', '/v1/x{rest+}', { '/v1/x/1': false, '/v1/xy/1': false, '/v1/y/1': true }],
    ['/v1/{a}/{b}', '/v1/{x+}-{y+}', { '/v1/1/2-3': false, '/v1/1-2/3': false, '/v1/1/2': true }],
    ['/files/{id}', '/files/{*rest}', { '/files/1': true }],
    ['/files/{id}', '/files/{**rest}', { '/files/1': true }],
    ['/files/{id}', '/files{/rest*}', { '/files/1': true }],
    // Some readers try a parameter with a condition before a parameter without one.
    ['/users/{name}', '/users/{id:[0-9]+}', { '/users/7': false }],
    ['/users/{name}', '/users/{id:int}', { '/users/7': false }],
    ['/users/me', '/{path:.*}', { '/users/me': true }],
    ['/users/{id}', '/users{?page,size}', { '/users/1': true }],
    ['/reports/{id}', '/reports{.format}', { '/reports/1': true }],
    ['/{a}', '/report{.format}', { '/report.pdf': false, '/report': false, '/other': true }],
    // Some readers drop these endings.
    [
      '/files/{id}',
      '/files/{name}.json',
      { '/files/x.json.': false, '/files/x.json.xml': false, '/files/x.json5': true },
    ],
    ['/{a}/{b}', '/{a}-{b}/me', { '/x-y/me': false, '/x-y/me.json': false, '/x-y/men': true }],
    ['/{a}/{b}', '/{a}-{b}/me', { '/x-y/me.': false, '/xy/me': true }],
    // Lower-casing writes a sigma at the end of a word as another letter.
    ['/u/{id}', '/u/\u0391\u03a3{x}', { '/u/%CE%91%CE%A3X': false, '/u/%CE%91%CF%82x': false, '/u/%CE%91x': true }],
  ])('%s matches only paths that cannot mean %s', (endpoint, ungrantable, expected: Record<string, boolean>) => {
    const wanted = Object.fromEntries(
      Object.entries(expected).map(([path, isMatched]) => [path, isMatched ? endpoint : 'ambiguous']),
    );
    expect(outcomes([endpoint], [ungrantable], Object.keys(expected))).toEqual(wanted);
  });

  test('a path that matches only the ungrantable operation is unknown', () => {
    expect(outcomes(['/files'], ['/files/{name}.json'], ['/files/x.json', '/files'])).toEqual({
      '/files/x.json': 'unknown',
      '/files': '/files',
    });
  });

  test('a template with an empty segment or a lone surrogate has no pattern, because no path matches it', () => {
    expect(readUngrantablePattern('/a//b{c}d', MANY)).toBeUndefined();
    expect(readUngrantablePattern('/a\ud800{c}d', MANY)).toBeUndefined();
    expect(readUngrantablePattern('a{c}d', MANY)).toBeUndefined();
  });
});
