type Token = '{' | '}' | '[' | ']' | ':' | ',' | 'string' | 'literal' | 'end' | 'other' | 'broken-string';

type Expected = 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'colon' | 'comma-or-end' | 'end-of-text';

const WORDS: Record<Expected, string> = {
  value: 'a value is expected here',
  'value-or-end': 'a value or "]" is expected here',
  name: 'a property name in double quotes is expected here',
  'name-or-end': 'a property name in double quotes or "}" is expected here',
  colon: '":" is expected here',
  'comma-or-end': '"," or a closing bracket is expected here',
  'end-of-text': 'nothing may follow the JSON value',
};
const WHITE_SPACE = /[ \t\n\r]*/y;
const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Returns the detail of a problem for a body that is not valid JSON. */
export function notJson(text: string): string {
  const fault = findJsonFault(text);
  return fault === undefined ? 'The body is not valid JSON.' : `The body is not valid JSON. See ${fault}.`;
}

/**
 * Returns where a text stops being JSON, with line and column, and what to do there. Returns undefined for valid JSON.
 * `JSON.parse` names a position only in some of its messages. This does not recurse, because the text may be nested
 * deeply.
 */
export function findJsonFault(text: string): string | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let comma = 0;
  for (let start = skip(WHITE_SPACE, text, 0); ;) {
    const { token, end } = tokenAt(text, start);
    if (token === 'end' && expected === 'end-of-text') {
      return undefined;
    }
    if (token === 'broken-string') {
      return `${place(text, end)}: this string is not closed, or has a character that must be escaped`;
    }
    if ((token === ']' && expected === 'value' && open.at(-1) === '[') || (token === '}' && expected === 'name')) {
      return `${place(text, comma)}: remove the comma before "${token}"`;
    }
    const next = expectedAfter(token, expected, open);
    if (next === undefined) {
      return `${place(text, start)}: ${WORDS[expected]}`;
    }
    comma = token === ',' ? start : comma;
    expected = next;
    start = skip(WHITE_SPACE, text, end);
  }
}

/** Returns what may follow a token, or undefined if the token is not expected. Opens and closes brackets. */
function expectedAfter(token: Token, expected: Expected, open: ('{' | '[')[]): Expected | undefined {
  const afterValue = (): Expected => (open.length === 0 ? 'end-of-text' : 'comma-or-end');
  const close = (): Expected => {
    open.pop();
    return afterValue();
  };
  switch (expected) {
    case 'value':
    case 'value-or-end':
      if (token === '{' || token === '[') {
        open.push(token);
        return token === '{' ? 'name-or-end' : 'value-or-end';
      }
      if (token === ']' && expected === 'value-or-end') {
        return close();
      }
      return token === 'string' || token === 'literal' ? afterValue() : undefined;
    case 'name':
    case 'name-or-end':
      if (token === '}' && expected === 'name-or-end') {
        return close();
      }
      return token === 'string' ? 'colon' : undefined;
    case 'colon':
      return token === ':' ? 'value' : undefined;
    case 'comma-or-end':
      if (token === ',') {
        return open.at(-1) === '{' ? 'name' : 'value';
      }
      return token === (open.at(-1) === '{' ? '}' : ']') ? close() : undefined;
    case 'end-of-text':
      return undefined;
    default:
      return expected satisfies never;
  }
}

function tokenAt(text: string, start: number): { token: Token; end: number } {
  const character = text[start];
  switch (character) {
    case undefined:
      return { token: 'end', end: start };
    case '{':
    case '}':
    case '[':
    case ']':
    case ':':
    case ',':
      return { token: character, end: start + 1 };
    case '"':
      return stringAt(text, start);
    default: {
      const end = skip(LITERAL, text, start);
      return { token: end > start ? 'literal' : 'other', end };
    }
  }
}

function stringAt(text: string, start: number): { token: Token; end: number } {
  let at = start + 1;
  while (text[at] !== '"') {
    const after = text[at] === '\\' ? skip(ESCAPE, text, at) : at + 1;
    if (after === at || text[at] === undefined || text.charCodeAt(at) < 0x20) {
      return { token: 'broken-string', end: at };
    }
    at = after;
  }
  return { token: 'string', end: at + 1 };
}

/** Returns the position after a match at a position, or the same position. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function place(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n');
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}
