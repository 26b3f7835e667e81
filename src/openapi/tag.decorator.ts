import type { Type } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { ProblemExamples } from '../problems/problem-examples.js';

/** What a feature says about the group of its operations in the document. */
export interface Tag {
  name: string;
  /** What the operations are for, in one sentence or two. */
  description: string;
  /** Where the tag stands in the list: lower ones come first. Leave room between two. */
  place: number;
  /** What ids in paths identify, where their name does not say it: `{ apiKeyId: 'key' }`. */
  ids?: Readonly<Record<string, string>>;
  /** Details and extensions that examples of the feature's problems show. */
  examples?: ProblemExamples;
}

const TAG = Symbol('latchkey:tag');

/**
 * Groups the operations of a controller under a tag. Controllers of one feature may share a tag. A controller without one
 * gets a tag with its own name, at the end of the document.
 */
export const Tagged =
  (tag: Tag): ClassDecorator =>
  (controller) => {
    Reflect.defineMetadata(TAG, tag, controller);
    ApiTags(tag.name)(controller);
  };

/** Returns the tags of these controllers, each once, in the order of their places. */
export function tagsOf(controllers: readonly Type[]): Tag[] {
  const tags = controllers.flatMap((controller) => (Reflect.getOwnMetadata(TAG, controller) as Tag | undefined) ?? []);
  return [...new Set(tags)].sort((one, other) => one.place - other.place);
}
