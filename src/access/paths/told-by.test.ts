import fc from 'fast-check';
import { isTold, splitTemplate, toldBy } from './told-by.js';

describe('the query or fragment of a template', () => {
  test.each([
    ['/things', '', 'nothing'],
    ['/things?bulkDelete=true', '?bulkDelete=true', ['bulkdelete']],
    ['/things?acl', '?acl', ['acl']],
    ['/things?$action=approve', '?$action=approve', ['action']],
    ['/things?type={type}', '?type={type}', ['type']],
    ['/things?action=approve&page={page}', '?action=approve&page={page}', ['action']],
    ['/things?a={a}&b={b}', '?a={a}&b={b}', ['a', 'b']],
    ['/things?a;b', '?a;b', ['a', 'b']],
    ['/things?{query}', '?{query}', 'query'],
    ['/things?{name}={value}', '?{name}={value}', 'query'],
    ['/things?$=1', '?$=1', 'query'],
    ['/things?', '?', 'nothing'],
    ['/things#bulk', '#bulk', 'nothing'],
    ['/things?a#bulk', '?a#bulk', ['a']],
    ['/things/{id:[a-z?#]+}?a', '?a', ['a']],
  ])('%s is %j and requires %j', (template, behind, by) => {
    expect(splitTemplate(template).behind).toBe(behind);
    expect(toldBy(behind)).toEqual(by);
  });
});

describe('an operation that only the query parameter "bulkDelete" distinguishes', () => {
  test.each([
    'bulkDelete=true',
    'bulkDelete=false',
    'bulkDelete',
    'BULKDELETE=1',
    'bulk_delete=1',
    'x=1&bulkDelete=1',
    'x=1;bulkDelete=1',
    'x?bulkDelete=1',
    'bulkDelete[]=1',
    'bulkDelete[0]=1',
    'bulkDelete.x=1',
    '[bulkDelete]=1',
    '%62ulkDelete=1',
    '%2562ulkDelete=1',
    '%25252562ulkDelete=1',
    'bulkDelete%3D1',
    'x%26bulkDelete=1',
    'x%2526bulkDelete%253D1',
    'bulkDelete%00x=1',
    'bulkDelete%5B%5D=1',
    '+bulkDelete=1',
    '%20bulkDelete=1',
    'bulk+Delete=1',
    '$bulkDelete=1',
    '_bulkDelete=1',
    '%EF%BD%82ulkDelete=1',
    'bulkDelete=1&bulkDelete=2',
    // Some readers cannot decode these, and some decode them differently.
    '%u0062ulkDelete=1',
    '%C1%A2ulkDelete=1',
    'x=100%',
  ])('may be meant by the query %s', (query) => expect(isTold(toldBy('?bulkDelete=true'), query)).toBe(true));

  test.each([
    '',
    'x=1',
    'x=bulkDelete',
    'x[bulkDelete]=1',
    'bulkDeleted=1',
    'nobulkDelete=1',
    'bulk=1&Delete=1',
    'filter=a%3Db',
    'x=100%25',
    'name=%C3%A9',
  ])('is not meant by the query %s', (query) => expect(isTold(toldBy('?bulkDelete=true'), query)).toBe(false));

  test('is recognised regardless of how and how often the parameter is escaped', () => {
    const escape = (text: string, which: boolean[]): string =>
      [...text]
        .map((character, index) =>
          which[index % which.length] ? `%${character.charCodeAt(0).toString(16).padStart(2, '0')}` : character,
        )
        .join('');
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }), { maxLength: 4 }),
        fc.constantFrom('', 'x=1&', 'x;', '&&'),
        fc.constantFrom('', '=', '=true', '[]=1', '&y=2'),
        (rounds, before, after) => {
          const name = rounds.reduce(
            // Later rounds escape the percent sign of existing escapes.
            (text, which, round) => (round === 0 ? escape(text, which) : text.replaceAll('%', '%25')),
            'bulkDelete',
          );
          expect(isTold(['bulkdelete'], `${before}${name}${after}`)).toBe(true);
        },
      ),
    );
  });

  test.each([
    ['separators', '&'.repeat(8000)],
    ['parameters', 'a=1&'.repeat(2000)],
    ['escapes', '%41'.repeat(2600)],
    ['nested escapes', '%25'.repeat(2600)],
    ['different names', Array.from({ length: 1500 }, (_, index) => `${index}x`).join('&')],
    ['punctuation', `${'.-'.repeat(4000)}=1`],
  ])('is searched for in 8 KB of %s within 50 ms', (_, query) => {
    const times = [1, 2, 3, 4, 5].map(() => {
      const startedAt = performance.now();
      isTold(['bulkdelete'], query);
      return performance.now() - startedAt;
    });
    expect(Math.min(...times)).toBeLessThan(50);
  });
});
