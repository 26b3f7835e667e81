import { EndpointTree, TemplateConflict, UngrantableTemplate, type EndpointMatch } from './endpoint-tree.js';
import { readRawPath } from './raw-path.js';

function treeOf(...endpoints: string[]): EndpointTree<string> {
  const tree = new EndpointTree<string>();
  for (const endpoint of endpoints) {
    const [method = '', template = ''] = endpoint.split(' ');
    tree.add(method, template, endpoint);
  }
  return tree;
}

function matchOf(tree: EndpointTree<string>, request: string): EndpointMatch<string> {
  const [method = '', raw = ''] = request.split(' ');
  const path = readRawPath(raw);
  return path.kind === 'ambiguous' ? path : tree.match(method, path);
}

/** Returns the endpoint that a request selects, or why it selects none. */
function selected(tree: EndpointTree<string>, request: string): string {
  const match = matchOf(tree, request);
  return match.kind === 'match' ? match.value : match.kind;
}

describe('an endpoint', () => {
  test('is selected by METHOD and whole segments', () => {
    const tree = treeOf('GET /v1/users', 'POST /v1/users', 'GET /v1/users/{userId}');
    expect(selected(tree, 'GET /v1/users')).toBe('GET /v1/users');
    expect(selected(tree, 'POST /v1/users')).toBe('POST /v1/users');
    expect(selected(tree, 'GET /v1/users/7?x=y')).toBe('GET /v1/users/{userId}');
    for (const unknown of [
      'GET /v1',
      'GET /',
      'DELETE /v1/users',
      'GET /v1/user',
      'GET /v1/users/7/x',
      'get /v1/users',
    ]) {
      expect(selected(tree, unknown)).toBe('unknown');
    }
  });

  test('is returned with its decoded parameters', () => {
    const tree = treeOf('GET /a/{one}/b/{two}', 'PUT /a/{uno}/b/{dos}');
    const match = matchOf(tree, 'PUT /a/caf%C3%A9/b/x%40y');
    expect(match).toMatchObject({ kind: 'match', template: '/a/{uno}/b/{dos}' });
    expect(match.kind === 'match' && [...match.parameters]).toEqual([
      ['uno', 'café'],
      ['dos', 'x@y'],
    ]);
  });

  test.each([[['GET /users/me', 'GET /users/{id}']], [['GET /users/{id}', 'GET /users/me']]])(
    'with a literal takes precedence over one with a parameter, registered as %j',
    (endpoints) => {
      const tree = treeOf(...endpoints);
      expect(selected(tree, 'GET /users/me')).toBe('GET /users/me');
      expect(selected(tree, 'GET /users/mee')).toBe('GET /users/{id}');
      expect(selected(tree, 'GET /users/m')).toBe('GET /users/{id}');
    },
  );

  test('may have literals that routers interpret as patterns', () => {
    const tree = treeOf('GET /a/:id', 'GET /a/*', 'GET /a/(x)', 'GET /a/{id}', 'GET /b:c');
    for (const literal of ['GET /a/:id', 'GET /a/*', 'GET /a/(x)', 'GET /b:c']) {
      expect(selected(tree, literal)).toBe(literal);
    }
    expect(selected(tree, 'GET /a/:ids')).toBe('GET /a/{id}');
    expect(selected(tree, 'GET /bxc')).toBe('unknown');
  });

  test('may have names of built-in object properties', () => {
    const tree = treeOf('GET /__proto__/{constructor}', 'GET /constructor', 'GET /x/{__proto__}');
    expect(selected(tree, 'GET /constructor')).toBe('GET /constructor');
    expect(selected(tree, 'GET /toString')).toBe('unknown');
    expect(selected(tree, 'GET /hasOwnProperty')).toBe('unknown');
    expect(selected(tree, '__proto__ /constructor')).toBe('unknown');
    const match = matchOf(tree, 'GET /x/polluted');
    expect(match.kind === 'match' && match.parameters.get('__proto__')).toBe('polluted');
  });

  test('with GET also accepts HEAD, but no other METHOD', () => {
    const tree = treeOf('GET /a', 'GET /b', 'HEAD /b', 'POST /c');
    expect(selected(tree, 'HEAD /a')).toBe('GET /a');
    expect(selected(tree, 'HEAD /b')).toBe('HEAD /b');
    expect(selected(tree, 'HEAD /c')).toBe('unknown');
    expect(selected(tree, 'OPTIONS /a')).toBe('unknown');
  });

  test('distinguishes paths with and without a trailing slash', () => {
    const tree = treeOf('GET /users', 'GET /users/{id}', 'GET /teams/', 'GET /teams/{id}/');
    expect(selected(tree, 'GET /users/')).toBe('unknown');
    expect(selected(tree, 'GET /users/7/')).toBe('unknown');
    expect(selected(tree, 'GET /teams')).toBe('unknown');
    expect(selected(tree, 'GET /teams/')).toBe('GET /teams/');
    expect(selected(tree, 'GET /teams/7')).toBe('unknown');
    expect(selected(tree, 'GET /teams/7/')).toBe('GET /teams/{id}/');
  });

  test('may be the root', () => {
    const tree = treeOf('GET /', 'GET /{x}');
    expect(selected(tree, 'GET /')).toBe('GET /');
    expect(selected(tree, 'GET /x')).toBe('GET /{x}');
  });
});

describe('a path is ambiguous', () => {
  test.each([
    ['a case variant of a literal', ['GET /users/me', 'GET /users/{id}'], 'GET /users/ME'],
    ['a case variant of a literal without a competitor', ['GET /users/me'], 'GET /Users/me'],
    ['a case variant of an earlier segment', ['GET /users/{id}', 'GET /{x}/{y}'], 'GET /Users/7'],
    ['two literals that differ in case', ['GET /users/me', 'GET /users/Me'], 'GET /users/me'],
    ['the Kelvin sign instead of a "k"', ['GET /keys', 'GET /{x}'], 'GET /%E2%84%AAeys'],
    ['the long s instead of an "s"', ['GET /users', 'GET /{x}'], 'GET /u%C5%BFers'],
    ['the dotless i instead of an "i"', ['GET /id', 'GET /{x}'], 'GET /%C4%B1d'],
    ['the dotted I instead of an "i"', ['GET /id', 'GET /{x}'], 'GET /%C4%B0d'],
    ['a ligature', ['GET /files', 'GET /{x}'], 'GET /%EF%AC%81les'],
    ['fullwidth letters', ['GET /me', 'GET /{x}'], 'GET /%EF%BD%8D%EF%BD%85'],
    ['an accent', ['GET /me', 'GET /{x}'], 'GET /m%C3%A9'],
    ['a zero-width space', ['GET /me', 'GET /{x}'], 'GET /m%E2%80%8Be'],
    ['a no-break space', ['GET /me', 'GET /{x}'], 'GET /me%C2%A0'],
    ['an escaped literal', ['GET /a:b', 'GET /{x}'], 'GET /a%3Ab'],
    ['an escaped literal in another case', ['GET /a:b', 'GET /{x}'], 'GET /A%3Ab'],
    ['a literal with a suffix', ['GET /users/me', 'GET /users/{id}'], 'GET /users/me.json'],
    ['a literal with two suffixes', ['GET /users/me', 'GET /users/{id}'], 'GET /users/Me.tar.gz'],
    ['a literal with a dot', ['GET /users/me', 'GET /users/{id}'], 'GET /users/me.'],
    ['a literal with a suffix and a slash', ['GET /users/me/', 'GET /users/{id}/'], 'GET /users/me.json/'],
    ['both with and without slash (without)', ['GET /users', 'GET /users/'], 'GET /users'],
    ['both with and without slash (with)', ['GET /users', 'GET /users/'], 'GET /users/'],
    ['a literal with slash beside a parameter', ['GET /users/', 'GET /{x}'], 'GET /users'],
    ['a literal beside a parameter with slash', ['GET /users', 'GET /{x}/'], 'GET /users/'],
    ['a literal that only another METHOD has', ['POST /users/me', 'GET /users/{id}'], 'GET /users/me'],
    ['a literal whose endpoints have other paths', ['GET /users/me/x', 'GET /users/{id}/y'], 'GET /users/me/y'],
    ['a literal that only a longer path has', ['GET /users/me/x', 'GET /users/{id}'], 'GET /users/me'],
    ['two templates, each with a literal where the other has a parameter', ['GET /a/{x}', 'GET /{y}/b'], 'GET /a/b'],
    ['two such templates with different METHODs', ['GET /a/{x}', 'POST /{y}/b'], 'GET /a/b'],
    ['two such templates, and a case variant', ['GET /a/{x}', 'GET /{y}/b'], 'GET /a/B'],
    ['a HEAD for the parameter, a GET for the literal', ['GET /a', 'HEAD /{x}'], 'HEAD /a'],
  ])('%s', (_, endpoints, request) => {
    expect(selected(treeOf(...endpoints), request)).toBe('ambiguous');
    expect(selected(treeOf(...endpoints.toReversed()), request)).toBe('ambiguous');
  });

  test('unless the similar literals are in another position', () => {
    const tree = treeOf('GET /users/me', 'GET /users/{id}/keys', 'GET /teams/{id}');
    expect(selected(tree, 'GET /teams/ME')).toBe('GET /teams/{id}');
    expect(selected(tree, 'GET /teams/me.json')).toBe('GET /teams/{id}');
    expect(selected(tree, 'GET /users/7/keys')).toBe('GET /users/{id}/keys');
  });

  test('unless one template has a literal wherever another matching one has', () => {
    const tree = treeOf('GET /a/b/{x}', 'GET /a/{y}/{x}', 'GET /{z}/b/{x}', 'GET /{z}/{y}/{x}', 'GET /a/b/c');
    expect(selected(tree, 'GET /a/b/c')).toBe('GET /a/b/c');
    expect(selected(tree, 'GET /a/b/d')).toBe('GET /a/b/{x}');
    expect(selected(tree, 'GET /a/d/d')).toBe('GET /a/{y}/{x}');
    expect(selected(tree, 'GET /d/b/d')).toBe('GET /{z}/b/{x}');
    expect(selected(tree, 'GET /d/d/d')).toBe('GET /{z}/{y}/{x}');
  });

  test('with a reason that names the segment or the templates', () => {
    expect(matchOf(treeOf('GET /users/me', 'GET /users/{id}'), 'GET /users/ME')).toEqual({
      kind: 'ambiguous',
      reason: 'a segment is "me" except for case',
    });
    expect(matchOf(treeOf('GET /a/{x}', 'GET /{y}/b'), 'GET /a/b')).toEqual({
      kind: 'ambiguous',
      reason: '"/a/{x}" and "/{y}/b" both match',
    });
  });
});

describe('the METHODs of a path', () => {
  const tree = treeOf('GET /users', 'POST /users', 'DELETE /users/{id}', 'PUT /users/me', 'GET /teams/');
  test.each([
    ['/users', ['GET', 'HEAD', 'POST']],
    ['/users/7', ['DELETE']],
    ['/users/me', ['PUT']],
    ['/teams/', ['GET', 'HEAD']],
    ['/teams', []],
    ['/USERS', []],
    ['/nothing', []],
  ])('of %s are %j', (raw, methods) => {
    const path = readRawPath(raw);
    expect(path.kind === 'segments' && tree.methods(path)).toEqual(methods);
  });
});

describe('a template', () => {
  test.each([
    ['GET /users/{id}', 'GET /users/{userId}'],
    ['GET /users/{id}', 'GET /users/{id}'],
    ['GET /{a}/x/{b}/', 'GET /{b}/x/{a}/'],
    ['GET /', 'GET /'],
  ])('is a conflict if another one matches the same paths: %s, %s', (one, other) => {
    const tree = treeOf(one);
    const [method = '', template = ''] = other.split(' ');
    expect(() => tree.add(method, template, other)).toThrow(TemplateConflict);
    expect(() => tree.add(method, template, other)).toThrow(
      expect.objectContaining({ method, template, existingTemplate: one.split(' ')[1] }),
    );
    expect(() => tree.add('PATCH', template, other)).not.toThrow();
  });

  test('is refused if it is ungrantable', () => {
    expect(() => treeOf('GET /compare/{base}...{head}')).toThrow(UngrantableTemplate);
  });
});

describe('thousands of templates', () => {
  test('do not slow down a match', () => {
    const small = treeOf('GET /v1/group0/items/{id}/parts/{part}', 'GET /v1/group0/items/import');
    const large = new EndpointTree<string>();
    for (let group = 0; group < 2_500; group++) {
      large.add('GET', `/v1/group${group}/items/{id}/parts/{part}`, 'x');
      large.add('GET', `/v1/group${group}/items/import`, 'x');
    }
    const path = readRawPath('/v1/group0/items/42/parts/7');
    if (path.kind === 'ambiguous') throw new Error(path.reason);
    const time = (tree: EndpointTree<string>): number => {
      const startedAt = performance.now();
      for (let round = 0; round < 20_000; round++) tree.match('GET', path);
      return performance.now() - startedAt;
    };
    time(small);
    time(large);
    const ratios = [1, 2, 3, 4, 5].map(() => time(large) / time(small));
    expect(Math.min(...ratios)).toBeLessThan(1.5);
  });

  test('that differ only in case are added in similar time, and the reason names three of them', () => {
    const letters = [...'abcdefghijklmn'];
    const spelling = (number: number): string =>
      letters.map((letter, bit) => ((number >> bit) & 1 ? letter.toUpperCase() : letter)).join('');
    const build = (segment: (number: number) => string): [EndpointTree<string>, number] => {
      const tree = new EndpointTree<string>();
      const before = process.cpuUsage();
      for (let number = 0; number < 10_000; number++) tree.add('GET', `/${segment(number)}`, 'x');
      return [tree, process.cpuUsage(before).user];
    };
    build((number) => `warm${number}`);
    const [, usual] = build((number) => `other${number}`);
    const [tree, twisted] = build(spelling);
    // An algorithm that compares each pair would take thirty times as long, and more with each further branch.
    expect(twisted).toBeLessThan(6 * usual);
    expect(matchOf(tree, 'GET /abcdefghijklmn')).toEqual({
      kind: 'ambiguous',
      reason: '"abcdefghijklmn" and "Abcdefghijklmn" and "aBcdefghijklmn" and 9997 more differ only in case',
    });
  });

  test('that match a path in too many ways make it ambiguous', () => {
    const depth = 12;
    const tree = new EndpointTree<string>();
    for (let number = 0; number < 2 ** depth; number++) {
      const segments = Array.from({ length: depth }, (_, bit) => ((number >> bit) & 1 ? 'a' : `{p${bit}}`));
      tree.add('GET', `/${segments.join('/')}`, segments.join('/'));
    }
    const path = (literals: number): string => '/a'.repeat(literals) + '/b'.repeat(depth - literals);
    expect(selected(tree, `GET ${path(1)}`)).toBe(
      ['a', ...Array.from({ length: depth - 1 }, (_, index) => `{p${index + 1}}`)].join('/'),
    );
    expect(matchOf(tree, `GET ${path(depth)}`)).toEqual({
      kind: 'ambiguous',
      reason: 'it could be read in too many ways to look at them all',
    });
    expect(selected(tree, `PUT ${path(depth)}`)).toBe('ambiguous');
  });
});
