import { parseTemplate } from './path-template.js';
import { readRawPath } from './raw-path.js';

describe('a path template', () => {
  test('consists of literals and whole-segment parameters', () => {
    expect(parseTemplate('/v1/users/{userId}/keys')).toEqual({
      kind: 'template',
      segments: [
        { kind: 'literal', text: 'v1' },
        { kind: 'literal', text: 'users' },
        { kind: 'parameter', name: 'userId' },
        { kind: 'literal', text: 'keys' },
      ],
    });
  });

  test.each([
    '/',
    '/users/',
    '/users/:id',
    '/files/*',
    '/a(b)',
    '/projects:search',
    "/!$&'()*+,=:@-._~",
    '/.well-known/x',
    '/..a',
    '/__proto__/{constructor}',
    '/{user-id}/{user.name}/{user_id}/{$user}/{benutzer nr}',
    `/${'a'.repeat(511)}`,
  ])('%s is accepted', (template) => {
    expect(parseTemplate(template).kind).toBe('template');
  });

  test.each([
    ['', 'it does not start with "/"'],
    ['users', 'it does not start with "/"'],
    ['https://example.com/users', 'it does not start with "/"'],
    [`/${'a'.repeat(512)}`, 'it is longer than 512 characters'],
    ['//users', 'it has an empty segment'],
    ['/users//{id}', 'it has an empty segment'],
    ['/users/./x', 'the literal "." ends in a dot'],
    ['/users/..', 'the literal ".." ends in a dot'],
    ['/users/...', 'the literal "..." ends in a dot'],
    ['/users/me./x', 'the literal "me." ends in a dot'],
    ['/{id}/x/{id}', 'it has the parameter {id} twice'],
    ['/{}', 'it has a parameter without a name'],
    ['/compare/{base}...{head}', 'the segment "{base}...{head}" is only partly a parameter'],
    ['/files/{name}.json', 'the segment "{name}.json" is only partly a parameter'],
    ['/users/id{id}', 'the segment "id{id}" is only partly a parameter'],
    ['/users/{id', 'the segment "{id" is only partly a parameter'],
    ['/users/id}', 'the segment "id}" is only partly a parameter'],
    ['/users/{{id}}', 'the segment "{{id}}" is only partly a parameter'],
    ['/files/{path*}', 'the parameter {path*} could match more or less than one segment'],
    ['/files/{path+}', 'the parameter {path+} could match more or less than one segment'],
    ['/files/{path...}', 'the parameter {path...} could match more or less than one segment'],
    ['/files/{+path}', 'the parameter {+path} could match more or less than one segment'],
    ['/files{/path}', 'the segment "files{" is only partly a parameter'],
    ['/files/{?query}', 'the parameter {?query} could match more or less than one segment'],
    ['/files/{id:[0-9]+}', 'the parameter {id:[0-9]+} could match more or less than one segment'],
  ])('%s is refused: %s', (template, reason) => {
    expect(parseTemplate(template)).toEqual({ kind: 'ungrantable', reason });
  });

  test.each(['é', 'a b', 'a%20b', '%', 'a;b', 'a\\b', 'a?b', 'a#b', 'a"b', '<', '>', '^', '`', '|', '[a]', '\u0000'])(
    'is refused with the literal %j, which no accepted path matches',
    (literal) => expect(parseTemplate(`/x/${literal}`).kind).toBe('ungrantable'),
  );

  test('matches the path with the same text as its literals', () => {
    for (let code = 0; code < 0x180; code++) {
      const template = `/x/a${String.fromCharCode(code)}b`;
      if (parseTemplate(template).kind === 'template') expect(readRawPath(template).kind).toBe('segments');
    }
  });
});
