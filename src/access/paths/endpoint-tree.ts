import { parseTemplate, type TemplateSegment } from './path-template.js';
import type { PathSegments } from './raw-path.js';
import type { UngrantablePattern, TemplateTexts } from './ungrantable-pattern.js';
import { literalsOf, UngrantablePatterns } from './ungrantable-patterns.js';
import type { ToldBy } from './told-by.js';
import { confusableSkeleton } from './confusable-skeleton.js';

/** What a METHOD and a path select. */
export type EndpointMatch<T> =
  | { kind: 'match'; value: T; template: string; parameters: ReadonlyMap<string, string> }
  | { kind: 'unknown' }
  | { kind: 'ambiguous'; reason: string };

/** Two templates of one METHOD match the same paths. */
export class TemplateConflict extends Error {
  constructor(
    readonly method: string,
    readonly template: string,
    readonly existingTemplate: string,
  ) {
    super(`${method} ${template} and ${method} ${existingTemplate} are the same endpoint.`);
    this.name = 'TemplateConflict';
  }
}

/** A template does not match whole segments. `parseTemplate` reports the same without throwing. */
export class UngrantableTemplate extends Error {
  constructor(
    readonly template: string,
    readonly reason: string,
  ) {
    super(`${template} cannot be an endpoint: ${reason}.`);
    this.name = 'UngrantableTemplate';
  }
}

interface Endpoint<T> {
  value: T;
  template: string;
  /** By position. Undefined for a literal. */
  parameterNames: readonly (string | undefined)[];
  /** By position, without regard to case. Undefined for a parameter. */
  literals: TemplateTexts;
}

/** The endpoints whose templates end at one node, by METHOD. */
type Endpoints<T> = Map<string, Endpoint<T>>;

/**
 * A node of the trie. A large service has a node for each segment, and most nodes hold one thing. So maps are created
 * only when needed.
 */
interface TrieNode<T> {
  literals: Literals<T> | undefined;
  /** Whether a sibling literal differs from this one only in case. */
  hasCaseTwin: boolean;
  parameter: TrieNode<T> | undefined;
  endpoints: Endpoints<T> | undefined;
  /** The endpoints whose template has a trailing slash. */
  slashedEndpoints: Endpoints<T> | undefined;
}

/** The literals that may follow one node. */
interface Literals<T> {
  nodes: Map<string, TrieNode<T>>;
  /** The registered spellings of each literal, by the literal without regard to case. */
  spellings: Map<string, string[]>;
  longest: number;
}

/** How many steps the search for other readings of a path may take. A normal catalogue needs a few dozen. */
const STEPS_BESIDE_MAX = 1000;
/** How many spellings a refusal names. */
const NAMED_MAX = 3;

/** Two readers would walk the trie differently here. */
class Disagreement {
  constructor(readonly reason: string) {}
}

/**
 * Matches whole segments of a path to endpoints, by METHOD and template. It assumes readers that prefer literals to
 * parameters. A path matches only if all such readers select the same endpoint. They may differ in whether they
 * consider case, trailing slashes or the METHOD on the way. If two of them could differ in the result, the path is
 * ambiguous.
 */
export class EndpointTree<T> {
  private readonly root: TrieNode<T> = newNode();
  private readonly ungrantable = new UngrantablePatterns();

  /** Registers an endpoint. Throws `TemplateConflict` or `UngrantableTemplate`. */
  add(method: string, template: string, value: T): void {
    const parsed = parseTemplate(template);
    if (parsed.kind === 'ungrantable') throw new UngrantableTemplate(template, parsed.reason);

    const slashed = endsWithSlash(parsed.segments);
    const steps = slashed ? parsed.segments.slice(0, -1) : parsed.segments;
    let node = this.root;
    for (const step of steps) {
      node = step.kind === 'literal' ? literalNode(node, step.text) : (node.parameter ??= newNode());
    }
    const endpoints = endpointsOf(node, slashed) ?? new Map<string, Endpoint<T>>();
    const existing = endpoints.get(method);
    if (existing) throw new TemplateConflict(method, template, existing.template);
    const parameterNames = steps.map((step) => (step.kind === 'parameter' ? step.name : undefined));
    endpoints.set(method, { value, template, parameterNames, literals: literalsOf(steps) });
    node[slashed ? 'slashedEndpoints' : 'endpoints'] = endpoints;
  }

  /** Adds an operation that is no endpoint. A path that could mean it is ambiguous, with any METHOD. */
  addUngrantable(template: string, pattern: UngrantablePattern, by: ToldBy = 'path'): void {
    this.ungrantable.add(template, pattern, by);
  }

  /** Selects the endpoint of a path that `readRawPath` accepted. */
  match(method: string, path: PathSegments): EndpointMatch<T> {
    const walk = this.walk(path);
    if (walk instanceof Disagreement) return { kind: 'ambiguous', reason: walk.reason };

    const endpoint = walk.endpoints && handlerOf(walk.endpoints, method);
    const rival = this.findRival(method, path, walk, endpoint);
    if (rival) return { kind: 'ambiguous', reason: rival.reason };
    if (!endpoint) return { kind: 'unknown' };
    const other = this.ungrantable.find(
      endpoint.literals,
      () => path.segments.slice(0, depthOf(path)).map(confusableSkeleton),
      path.query,
    );
    if (other !== undefined) {
      return { kind: 'ambiguous', reason: `"${other}", which no key can be granted, matches too` };
    }

    const parameters = new Map<string, string>();
    for (const [index, name] of endpoint.parameterNames.entries()) {
      const segment = path.segments[index];
      if (name !== undefined && segment !== undefined) parameters.set(name, segment);
    }
    return { kind: 'match', value: endpoint.value, template: endpoint.template, parameters };
  }

  /** Returns the sorted METHODs of a path, as the `Allow` header of a 405 lists them. GET implies HEAD. */
  methods(path: PathSegments): readonly string[] {
    const walk = this.walk(path);
    if (walk instanceof Disagreement || !walk.endpoints) return [];
    const methods = new Set(walk.endpoints.keys());
    if (methods.has('GET')) methods.add('HEAD');
    return [...methods].sort();
  }

  /** Walks the trie once. It takes a literal wherever one exists and never backtracks. */
  private walk(path: PathSegments): Walk<T> | Disagreement {
    const depth = depthOf(path);
    const slashed = depth < path.segments.length;
    const tookLiteral: boolean[] = [];
    let forked = false;
    let node: TrieNode<T> | undefined = this.root;
    for (let index = 0; node && index < depth; index++) {
      const literal: TrieNode<T> | Disagreement | undefined = literalAt(node, path, index, depth);
      if (literal instanceof Disagreement) return literal;
      tookLiteral.push(literal !== undefined);
      if (literal && node.parameter) forked = true;
      node = literal ?? node.parameter;
    }
    return {
      slashed,
      endpoints: node && endpointsOf(node, slashed),
      otherSlash: node && endpointsOf(node, !slashed),
      tookLiteral,
      forked,
    };
  }

  /** Finds an endpoint that some reader could select instead of the result of the walk. */
  private findRival(
    method: string,
    path: PathSegments,
    walk: Walk<T>,
    endpoint: Endpoint<T> | undefined,
  ): Disagreement | undefined {
    const slashTwin = endpoint && walk.otherSlash && handlerOf(walk.otherSlash, method);
    if (slashTwin) return bothMatch(endpoint, slashTwin);
    if (!walk.forked) return undefined;

    const besides = this.endsBeside(path, walk);
    if (besides instanceof Disagreement) return besides;
    for (const { node, moreLiteral } of besides) {
      if (!endpoint) {
        // Some readers backtrack to the parameter when the literal leads nowhere. Others respond with 404 or 405.
        const ending = endpointsOf(node, walk.slashed);
        const reached = ending && handlerOf(ending, method);
        if (reached) return new Disagreement(`"${reached.template}" matches, but only for readers that go back`);
        continue;
      }
      for (const endpoints of [node.endpoints, node.slashedEndpoints]) {
        if (!endpoints) continue;
        // Some readers prefer this endpoint, because it has a literal where the walk took a parameter. It may also
        // exist for more METHODs than those registered.
        const [first] = endpoints.values();
        if (moreLiteral && first) return bothMatch(endpoint, first);
        // Some readers look for a HEAD endpoint before they use GET for a HEAD request.
        const head = method === 'HEAD' && !walk.endpoints?.has('HEAD') && endpoints.get('HEAD');
        if (head) return bothMatch(endpoint, head);
      }
    }
    return undefined;
  }

  /** Returns where the path ends for readers that take a parameter although a literal exists. */
  private endsBeside(path: PathSegments, walk: Walk<T>): EndBeside<T>[] | Disagreement {
    const depth = depthOf(path);
    const ends: EndBeside<T>[] = [];
    let steps = 0;
    const explore = (
      node: TrieNode<T>,
      index: number,
      beside: boolean,
      moreLiteral: boolean,
    ): Disagreement | undefined => {
      steps += 1;
      if (steps > STEPS_BESIDE_MAX) return new Disagreement('it could be read in too many ways to look at them all');
      if (index === depth) {
        if (beside) ends.push({ node, moreLiteral });
        return undefined;
      }
      const literal = literalAt(node, path, index, depth);
      if (literal instanceof Disagreement) return literal;
      const walkTookParameter = walk.tookLiteral[index] === false;
      return (
        (literal && explore(literal, index + 1, beside, moreLiteral || walkTookParameter)) ??
        (node.parameter && explore(node.parameter, index + 1, beside || !walkTookParameter, moreLiteral))
      );
    };
    return explore(this.root, 0, false, false) ?? ends;
  }
}

interface Walk<T> {
  slashed: boolean;
  /** The endpoints where the walk ended. Undefined if it ended at no node. */
  endpoints: Endpoints<T> | undefined;
  /** The endpoints of the same path with the trailing slash added or removed. */
  otherSlash: Endpoints<T> | undefined;
  tookLiteral: readonly boolean[];
  /** Whether the walk took a literal that has a parameter as its sibling. */
  forked: boolean;
}

interface EndBeside<T> {
  node: TrieNode<T>;
  /** Whether this path has a literal where the walk took a parameter. */
  moreLiteral: boolean;
}

function newNode<T>(): TrieNode<T> {
  return {
    literals: undefined,
    hasCaseTwin: false,
    parameter: undefined,
    endpoints: undefined,
    slashedEndpoints: undefined,
  };
}

function literalNode<T>(node: TrieNode<T>, text: string): TrieNode<T> {
  const literals = (node.literals ??= { nodes: new Map(), spellings: new Map(), longest: 0 });
  const existing = literals.nodes.get(text);
  if (existing) return existing;
  const added = newNode<T>();
  literals.nodes.set(text, added);
  literals.longest = Math.max(literals.longest, text.length);
  const folded = confusableSkeleton(text);
  const spellings = literals.spellings.get(folded);
  if (spellings) {
    // Later twins were marked when they were added.
    literals.nodes.get(spellings[0]!)!.hasCaseTwin = true;
    added.hasCaseTwin = true;
    spellings.push(text);
  } else {
    literals.spellings.set(folded, [text]);
  }
  return added;
}

/** Returns the literal that a segment matches. Returns a `Disagreement` if only some readers would match it. */
function literalAt<T>(
  node: TrieNode<T>,
  path: PathSegments,
  index: number,
  depth: number,
): TrieNode<T> | Disagreement | undefined {
  const { literals } = node;
  if (!literals) return undefined;
  const segment = path.segments[index] ?? '';
  const exact = literals.nodes.get(segment);
  if (exact && !exact.hasCaseTwin && !path.escaped[index]) return exact;
  const folded = confusableSkeleton(segment);
  const spellings = literals.spellings.get(folded);
  if (spellings) {
    if (!exact) return new Disagreement(`a segment is ${quoted(spellings)} except for case`);
    if (exact.hasCaseTwin) return new Disagreement(`${quoted(spellings)} differ only in case`);
    return new Disagreement(`a segment is ${quoted(spellings)} written with an escape`);
  }
  if (index === depth - 1) return literalWithSuffix(literals, folded);
  return undefined;
}

/**
 * Finds a literal that some readers match with a suffix. Some frameworks (Rails, older Spring) serve `/users/me` for
 * `/users/me.json`, and Caddy for `/users/me.`.
 */
function literalWithSuffix<T>(literals: Literals<T>, folded: string): Disagreement | undefined {
  for (let dotAt = folded.indexOf('.', 1); dotAt !== -1; dotAt = folded.indexOf('.', dotAt + 1)) {
    if (dotAt > literals.longest) return undefined;
    const spellings = literals.spellings.get(folded.slice(0, dotAt));
    if (spellings) return new Disagreement(`the last segment is ${quoted(spellings)} with a suffix`);
  }
  return undefined;
}

function endpointsOf<T>(node: TrieNode<T>, slashed: boolean): Endpoints<T> | undefined {
  return slashed ? node.slashedEndpoints : node.endpoints;
}

/** Returns the endpoint that handles a METHOD. GET handles HEAD if no HEAD is registered. */
function handlerOf<T>(endpoints: Endpoints<T>, method: string): Endpoint<T> | undefined {
  return endpoints.get(method) ?? (method === 'HEAD' ? endpoints.get('GET') : undefined);
}

function bothMatch<T>(one: Endpoint<T>, other: Endpoint<T>): Disagreement {
  return new Disagreement(`"${one.template}" and "${other.template}" both match`);
}

/** Returns the number of segments before the trailing slash, if there is one. */
function depthOf(path: PathSegments): number {
  return path.segments.at(-1) === '' ? path.segments.length - 1 : path.segments.length;
}

function endsWithSlash(segments: readonly TemplateSegment[]): boolean {
  const last = segments.at(-1);
  return last?.kind === 'literal' && last.text === '';
}

function quoted(texts: readonly string[]): string {
  const named = texts.slice(0, NAMED_MAX).map((text) => `"${text}"`);
  return [...named, ...(texts.length > NAMED_MAX ? [`${texts.length - NAMED_MAX} more`] : [])].join(' and ');
}
