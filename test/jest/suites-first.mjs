// Runs the files of suites first: they take longest, and at the end one worker would wait for the other.
import Sequencer from '@jest/test-sequencer';
import { SUITES } from '../suites.mjs';

const files = Object.values(SUITES).flatMap(({ only, short }) => [...only, ...short]);

export default class SuitesFirst extends Sequencer {
  sort(tests) {
    const isLong = ({ path }) => files.some((file) => path.endsWith(`/test/${file}.test.ts`));
    const sorted = super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
