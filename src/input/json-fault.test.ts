import { findJsonFault } from './json-fault.js';

test.each([
  ['{\n  "name": "x",\n}', 'line 2, column 14: remove the comma before "}"'],
  ['[1, 2,]', 'line 1, column 6: remove the comma before "]"'],
  ["{'name': 1}", 'line 1, column 2: a property name in double quotes or "}" is expected here'],
  ['{"a": 1, b: 2}', 'line 1, column 10: a property name in double quotes is expected here'],
  ['{"name" 1}', 'line 1, column 9: ":" is expected here'],
  ['{"a": 1\n "b": 2}', 'line 2, column 2: "," or a closing bracket is expected here'],
  ['{"a": [1}', 'line 1, column 9: "," or a closing bracket is expected here'],
  ['{"a":', 'line 1, column 6: a value is expected here'],
  ['{"a": 01}', 'line 1, column 7: a value is expected here'],
  ['{"a": NaN}', 'line 1, column 7: a value is expected here'],
  ['[}', 'line 1, column 2: a value or "]" is expected here'],
  ['{"a": "x}', 'line 1, column 10: this string is not closed, or has a character that must be escaped'],
  ['{"a": "\\q"}', 'line 1, column 8: this string is not closed, or has a character that must be escaped'],
  ['{"a": "x\ny"}', 'line 1, column 9: this string is not closed, or has a character that must be escaped'],
  ['{} {}', 'line 1, column 4: nothing may follow the JSON value'],
  ['', 'line 1, column 1: a value is expected here'],
])('the fault of %j is reported with its line and column', (text, fault) => {
  expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  expect(findJsonFault(text)).toBe(fault);
});

test('a text has a fault exactly if JSON.parse refuses it', () => {
  const whole = '{"a": [1, -2.5e+3, true, null, {}, []], "b\\u00e9\\n": {"c": "\\\\ \\" x"}}';
  const characters = ['', ',', '"', '}', ']', '{', '[', ':', '0', '-', '.', 'e', '\\', '\n', 'x', '\u0001'];
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  for (let at = 0; at <= whole.length; at += 1) {
    for (const character of characters) {
      for (const rest of [at, at + 1, at + 2]) {
        const text = whole.slice(0, at) + character + whole.slice(rest);
        expect([text, findJsonFault(text) === undefined]).toEqual([text, isJson(text)]);
      }
    }
  }
});

test('deep nesting is reported as a fault and does not overflow the stack', () => {
  expect(findJsonFault('['.repeat(200_000))).toMatch(/^line 1, column 200001: /);
});
