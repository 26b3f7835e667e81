import fc from 'fast-check';
import { Admission } from './admission.js';
import { Problem } from '../problems/problem.js';

/** Work that continues until the test ends it. */
interface HeldWork {
  owner: number;
  end: () => void;
  done: Promise<void>;
}

describe('admission', () => {
  it('admits work within the total limit and its owner’s limit, refuses other work immediately, and loses none', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.oneof(fc.record({ owner: fc.nat(3) }), fc.record({ nth: fc.nat(9) }))),
        async (max, ownerMax, steps) => {
          const admission = new Admission({ what: 'tasks', max, ownerMax });
          const inHand: HeldWork[] = [];
          for (const step of steps) {
            if ('owner' in step) {
              const own = inHand.filter(({ owner }) => owner === step.owner).length;
              const expected = inHand.length < max && own < ownerMax;
              let end = (): void => undefined;
              let begun = false;
              const done = admission.admitFor(step.owner, () => {
                begun = true;
                return new Promise<void>((resolve) => (end = resolve));
              });
              expect(begun).toBe(expected);
              if (begun) {
                inHand.push({ owner: step.owner, end, done });
              } else {
                await expect(done).rejects.toMatchObject({ code: 'too-busy' });
              }
            } else if (inHand.length > 0) {
              const [work] = inHand.splice(step.nth % inHand.length, 1);
              work!.end();
              await work!.done;
            }
          }
          inHand.forEach(({ end }) => end());
          await Promise.all(inHand.map(({ done }) => done));
        },
      ),
    ));

  it('frees its slot when work fails', async () => {
    const admission = new Admission({ what: 'tasks', max: 1 });
    const failing = admission.admitFor(1, () => Promise.reject(new Problem('storage-full')));
    await expect(failing).rejects.toMatchObject({ code: 'storage-full' });
    await expect(admission.admitFor(1, () => Promise.resolve('done'))).resolves.toBe('done');
  });
});
