import type { INestApplication } from '@nestjs/common';
import {
  DocumentBuilder,
  type OpenAPIObject,
  type OperationObject,
  type ParameterObject,
  SwaggerModule,
} from '@nestjs/swagger';
import { ID_MAX } from '../input/id.pipe.js';
import { describeFields } from './openapi-fields.js';
import { operationsOf } from './openapi-operations.js';
import type { Tag } from './tag.decorator.js';

const DONE: Record<string, string> = {
  200: 'Done.',
  201: 'Created.',
  204: 'Done. The response has no body.',
};

/** The texts of the document that come from neither controllers nor DTOs. */
interface DocumentTexts {
  version: string;
  front: string;
  /** In the order in which the document lists them. */
  tags: readonly Tag[];
}

/**
 * Creates the OpenAPI document from the controllers and DTOs. `describeAccess` and `describeProblems` add the access
 * and the problems.
 */
export function createDocument(app: INestApplication, { version, front, tags }: DocumentTexts): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Latchkey')
    .setDescription(front)
    .setVersion(version)
    .addServer('/', 'This server');
  tags.forEach(({ name, description }) => builder.addTag(name, description));
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
  });
  document.info.license = { name: 'MIT', url: 'https://opensource.org/license/mit' };
  const nouns: Record<string, string> = Object.assign({}, ...tags.map(({ ids }) => ids));
  for (const { operation } of operationsOf(document)) {
    describeIds(operation, nouns);
    describeSuccess(operation);
  }
  describeFields(document);
  unwrap(document);
  return document;
}

/**
 * Removes line breaks from wrapped doc comments, except in lists and between paragraphs. Swagger UI would show each
 * one.
 */
function unwrap(node: unknown): void {
  if (typeof node !== 'object' || node === null) {
    return;
  }
  for (const [name, value] of Object.entries(node) as [keyof typeof node, unknown][]) {
    if (name === ('description' as string) && typeof value === 'string') {
      Object.assign(node, { [name]: value.replaceAll(/(?<!\n)\n(?!\n|- |\d+\. )/g, ' ') });
    } else {
      unwrap(value);
    }
  }
}

/** Describes ids in paths. All have the same format, because `IdPipe` reads them. */
function describeIds(operation: OperationObject, nouns: Readonly<Record<string, string>>): void {
  for (const parameter of operation.parameters ?? []) {
    if (!('in' in parameter) || parameter.in !== 'path') {
      continue;
    }
    const schema = parameter.schema;
    if (schema && 'type' in schema && schema.type === 'number') {
      parameter.schema = { type: 'integer', minimum: 1, maximum: ID_MAX };
      parameter.example ??= 1;
      parameter.description ??= `Id of the ${nouns[parameter.name] ?? nounOf(parameter)}.`;
    }
  }
}

function nounOf({ name }: ParameterObject): string {
  return name.replace(/Id$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function describeSuccess(operation: OperationObject): void {
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response && 'description' in response && !response.description) {
      response.description = DONE[status] ?? '';
    }
  }
}

/** Returns the document with its paths in the order of their tags. */
export function sortedByTag(document: OpenAPIObject): OpenAPIObject {
  const order = new Map(document.tags?.map(({ name }, index) => [name, index]));
  const place = new Map(
    operationsOf(document)
      .toReversed()
      .map(({ path, operation }) => [path, order.get(operation.tags?.[0] ?? '') ?? order.size]),
  );
  const paths = Object.entries(document.paths).sort(([one], [other]) => place.get(one)! - place.get(other)!);
  const { openapi, info, servers, tags, ...rest } = document;
  return { openapi, info, servers, tags, ...rest, paths: Object.fromEntries(paths) };
}
