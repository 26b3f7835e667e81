import type { Type } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { ProblemExamples } from '../problems/problem-examples.js';

/** How a feature describes the group of its operations in the document. */
export interface Tag {
  name: string;
  /** The purpose of the operations, in one or two sentences. */
  description: string;
  /** The position of the tag in the list, in ascending order. Leave gaps between positions. */
  place: number;
  /** What ids in paths identify, if their name does not say it: `{ apiKeyId: 'key' }`. */
  ids?: Readonly<Record<string, string>>;
  /** Details and extensions for the examples of the feature's problems. */
  examples?: ProblemExamples;
}

const TAG = Symbol('latchkey:tag');

/**
 * Groups the operations of a controller under a tag. Controllers of one feature may share a tag. A controller without a
 * tag gets one with its own name, at the end of the document.
 */
export const Tagged =
  (tag: Tag): ClassDecorator =>
  (controller) => {
    Reflect.defineMetadata(TAG, tag, controller);
    ApiTags(tag.name)(controller);
  };

/** Returns the distinct tags of these controllers, in the order of their places. */
export function tagsOf(controllers: readonly Type[]): Tag[] {
  const tags = controllers.flatMap((controller) => (Reflect.getOwnMetadata(TAG, controller) as Tag | undefined) ?? []);
  return [...new Set(tags)].sort((one, other) => one.place - other.place);
}
