/**
 * One segment of a template: a literal, which matches only its own text, or a parameter, which matches any one segment.
 */
export type TemplateSegment = { kind: 'literal'; text: string } | { kind: 'parameter'; name: string };

/** The result of parsing a template: its segments, or the reason why keys cannot be granted it. */
export type ParsedTemplate =
  { kind: 'template'; segments: readonly TemplateSegment[] } | { kind: 'ungrantable'; reason: string };

const templateCharactersMax = 512;

// The characters of a path that need no escape (`pchar` of RFC 3986), except `;`. A literal with other characters only
// matches a path with escapes, or with characters that some readers rewrite. Such paths are refused.
const literalText = /^[A-Za-z0-9\-._~!$&'()*+,=:@]*$/;
const parameterName = /^[^\s{}/?#\\%*:+.;&=,!@|][^{}/?#\\%*:\u0000-\u001f\u007f]*$/;
/** How some gateways and routers mark a parameter that matches the rest of the path. */
const saysMany = /(?:\+|\.\.\.)$/;

/**
 * Parses a path template such as `/v1/users/{userId}`. Each segment is either a literal or exactly one `{parameter}`.
 * The characters `:`, `*`, `(` and `)` have no special meaning in a literal. A trailing slash becomes an empty last
 * literal.
 */
export function parseTemplate(template: string): ParsedTemplate {
  if (!template.startsWith('/')) return ungrantable('it does not start with "/"');
  if (template.length > templateCharactersMax)
    return ungrantable(`it is longer than ${templateCharactersMax} characters`);

  const segments: TemplateSegment[] = [];
  const names = new Set<string>();
  const parts = template.slice(1).split('/');
  for (const [index, part] of parts.entries()) {
    if (part === '' && index < parts.length - 1) return ungrantable('it has an empty segment');
    const segment = parseSegment(part);
    if (typeof segment === 'string') return ungrantable(segment);
    if (segment.kind === 'parameter') {
      if (names.has(segment.name)) return ungrantable(`it has the parameter {${segment.name}} twice`);
      names.add(segment.name);
    }
    segments.push(segment);
  }
  return { kind: 'template', segments };
}

function parseSegment(part: string): TemplateSegment | string {
  if (!/[{}]/.test(part)) {
    // Caddy and Windows remove dots at the end of a path, and a segment of dots means a parent folder.
    if (part.endsWith('.')) return `the literal ${JSON.stringify(part)} ends in a dot`;
    return literalText.test(part)
      ? { kind: 'literal', text: part }
      : `the literal ${JSON.stringify(part)} has a character that paths cannot hold unescaped`;
  }
  const name = /^\{([^{}]*)\}$/.exec(part)?.[1];
  if (name === undefined) return `the segment ${JSON.stringify(part)} is only partly a parameter`;
  if (name === '') return 'it has a parameter without a name';
  return isOneSegment(name)
    ? { kind: 'parameter', name }
    : `the parameter {${name}} could match more or less than one segment`;
}

/** Returns whether all readers take a parameter of this name for one segment, as far as the name shows. */
export function isOneSegment(name: string): boolean {
  return parameterName.test(name) && !saysMany.test(name);
}

function ungrantable(reason: string): ParsedTemplate {
  return { kind: 'ungrantable', reason };
}
