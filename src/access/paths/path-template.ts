/** One segment of a template: text that must stand there exactly, or a parameter that any one segment fills. */
export type TemplateSegment = { kind: 'literal'; text: string } | { kind: 'parameter'; name: string };

/** What a path template turned out to be: segments to match by, or a reason why no key can be granted on it. */
export type ParsedTemplate =
  { kind: 'template'; segments: readonly TemplateSegment[] } | { kind: 'ungrantable'; reason: string };

const templateCharactersMax = 512;

// What a path can hold without an escape (RFC 3986's pchar), less `;`. A literal of other characters could only be
// met through an escape or a character that some reader rewrites, and such a path is refused.
const literalText = /^[A-Za-z0-9\-._~!$&'()*+,=:@]*$/;
const parameterName = /^[^\s{}/?#\\%*:+.;&=,!@|][^{}/?#\\%*:\u0000-\u001f\u007f]*$/;
/** How some gateways and routers write a parameter that takes the rest of the path. */
const saysMany = /(?:\+|\.\.\.)$/;

/**
 * Reads a path template such as `/v1/users/{userId}`. Each segment is a literal, in which `:`, `*`, `(` and `)` mean
 * themselves, or exactly one `{parameter}`; a trailing slash is an empty last literal.
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
    // Caddy and Windows drop dots at the end of a path; a segment of dots is a way upwards.
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
    : `the parameter {${name}} could stand for more or less than one segment`;
}

/** Whether a parameter of this name is one segment to everybody, as far as a name can tell. */
export function isOneSegment(name: string): boolean {
  return parameterName.test(name) && !saysMany.test(name);
}

function ungrantable(reason: string): ParsedTemplate {
  return { kind: 'ungrantable', reason };
}
