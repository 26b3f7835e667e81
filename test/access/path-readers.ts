import express from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay, { type Config, type HTTPMethod, type HTTPVersion } from 'find-my-way';
import { EndpointTree } from '../../src/access/paths/endpoint-tree.js';
import { parseTemplate, type TemplateSegment } from '../../src/access/paths/path-template.js';
import { readRawPath } from '../../src/access/paths/raw-path.js';

/** An endpoint of a catalogue that readers are compared by. */
export interface CatalogueEndpoint {
  method: string;
  template: string;
}

/** What a reader selected: the endpoint as `METHOD template`, and the parameters in order. */
export interface Selection {
  endpoint: string;
  parameters: string[];
}

/** A function that selects an endpoint for a raw request target. */
export interface Reader {
  name: string;
  select(method: string, raw: string): Selection | undefined;
}

/** Returns the name that readers use for an endpoint. */
export function nameOf({ method, template }: CatalogueEndpoint): string {
  return `${method} ${template}`;
}

/** Returns the segments of a template. Throws if it is not valid. */
export function segmentsOf(template: string): readonly TemplateSegment[] {
  const parsed = parseTemplate(template);
  if (parsed.kind === 'ungrantable') throw new Error(`${template}: ${parsed.reason}`);
  return parsed.segments;
}

/** Selects as Latchkey does. Returns undefined for a refusal. */
export function latchkeyReader(catalogue: readonly CatalogueEndpoint[]): Reader {
  const tree = new EndpointTree<string>();
  for (const endpoint of catalogue) tree.add(endpoint.method, endpoint.template, nameOf(endpoint));
  return {
    name: 'Latchkey',
    select(method, raw) {
      const path = readRawPath(raw);
      const match = path.kind === 'segments' ? tree.match(method, path) : path;
      return match.kind === 'match' ? { endpoint: match.value, parameters: [...match.parameters.values()] } : undefined;
    },
  };
}

/** Orders of registration in which an endpoint comes after all that are more literal. */
export const literalFirst: Record<string, (one: CatalogueEndpoint, other: CatalogueEndpoint) => number> = {
  'from the left': (one, other) => compareText(orderKey(one), orderKey(other)),
  'from the right': (one, other) => compareText(reversed(orderKey(one)), reversed(orderKey(other))),
  'by number of literals': (one, other) =>
    literals(other) - literals(one) || compareText(orderKey(one), orderKey(other)),
};

/** Calls `new URL(raw)` and then searches the templates, as many small services do. */
export function urlReader(catalogue: readonly CatalogueEndpoint[]): Reader {
  const ordered = [...catalogue].sort(literalFirst['from the left']);
  return {
    name: "Node's URL",
    select(method, raw) {
      const path = normalise(raw).slice(1).split('/').map(decodeURIComponent);
      for (const accepted of method === 'HEAD' ? ['HEAD', 'GET'] : [method]) {
        for (const endpoint of ordered.filter((candidate) => candidate.method === accepted)) {
          const segments = segmentsOf(endpoint.template);
          const parameters: string[] = [];
          const matches = segments.every((segment, index) => {
            const text = path[index] ?? '';
            if (segment.kind === 'literal') return segment.text === text;
            parameters.push(text);
            return text !== '';
          });
          if (matches && segments.length === path.length) return { endpoint: nameOf(endpoint), parameters };
        }
      }
      return undefined;
    },
  };
}

/** Uses Express's own router with its default settings, registered in the given order. */
export function expressReader(catalogue: readonly CatalogueEndpoint[], order: keyof typeof literalFirst): Reader {
  const app = express();
  let selection: Selection | undefined;
  for (const endpoint of [...catalogue].sort(literalFirst[order])) {
    const route = app.route(routePath(endpoint.template, (text) => text.replace(/[{}()[\]+?!:*\\]/g, '\\$&')));
    const method = endpoint.method.toLowerCase() as 'get';
    route[method]((req) => {
      selection = { endpoint: nameOf(endpoint), parameters: Object.values(req.params as Record<string, string>) };
    });
  }
  return {
    name: `Express, literals first ${order}`,
    select(method, raw) {
      selection = undefined;
      const req = { method, url: raw, headers: {} } as express.Request;
      app.router(req, {} as express.Response, () => undefined);
      return selection;
    },
  };
}

/**
 * Uses find-my-way as Fastify does: HEAD is registered wherever GET is. Returns undefined if it cannot hold the
 * catalogue.
 */
export function findMyWayReader(
  catalogue: readonly CatalogueEndpoint[],
  config: Config<HTTPVersion.V1>,
): Reader | undefined {
  let selection: Selection | undefined;
  const router = findMyWay({ ...config, onBadUrl: () => undefined, defaultRoute: () => undefined });
  const register = (method: string, endpoint: CatalogueEndpoint): void => {
    const path = routePath(endpoint.template, (text) => text.replaceAll(':', '::'));
    router.on(method as HTTPMethod, path, (_req, _res, params) => {
      selection = { endpoint: nameOf(endpoint), parameters: Object.values(params as Record<string, string>) };
    });
  };
  const taken = new Set(catalogue.map(({ method, template }) => `${method} ${shapeOf(template)}`));
  try {
    for (const endpoint of catalogue) {
      register(endpoint.method, endpoint);
      if (endpoint.method === 'GET' && !taken.has(`HEAD ${shapeOf(endpoint.template)}`)) register('HEAD', endpoint);
    }
  } catch (error) {
    // With lenient settings, two endpoints of the catalogue are one, and the second is refused.
    if (error instanceof Error && error.message.includes('already declared')) return undefined;
    throw error;
  }
  return {
    name: `find-my-way ${JSON.stringify(config)}`,
    select(method, raw) {
      selection = undefined;
      router.lookup({ method, url: raw, headers: {} } as IncomingMessage, {} as ServerResponse);
      return selection;
    },
  };
}

/** Returns a reader behind a program that normalises with `new URL(raw)` and passes the result on. */
export function behindUrl(reader: Reader): Reader {
  return {
    name: `${reader.name}, behind Node's URL`,
    select: (method, raw) => reader.select(method, normalise(raw)),
  };
}

/** Returns a template without the names of its parameters. */
export function shapeOf(template: string): string {
  return segmentsOf(template)
    .map((segment) => (segment.kind === 'literal' ? `/${segment.text}` : '/{}'))
    .join('');
}

function normalise(raw: string): string {
  const url = new URL(raw, 'http://upstream.example');
  return url.host === 'upstream.example' ? url.pathname : '/';
}

function routePath(template: string, escape: (literal: string) => string): string {
  return segmentsOf(template)
    .map((segment, index) => (segment.kind === 'literal' ? `/${escape(segment.text)}` : `/:p${index}`))
    .join('');
}

function orderKey({ method, template }: CatalogueEndpoint): string {
  const kinds = withoutSlash(template).map((segment) => (segment.kind === 'literal' ? '0' : '1'));
  // Express uses a GET for a HEAD if the GET comes first.
  return `${kinds.join('')}${method === 'HEAD' ? '0' : '1'}`;
}

function withoutSlash(template: string): readonly TemplateSegment[] {
  const segments = segmentsOf(template);
  const last = segments.at(-1);
  return last?.kind === 'literal' && last.text === '' ? segments.slice(0, -1) : segments;
}

function literals({ template }: CatalogueEndpoint): number {
  return withoutSlash(template).filter((segment) => segment.kind === 'literal').length;
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
