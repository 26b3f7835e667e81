import { differs } from './differs.js';

class Limit {
  constructor(readonly limit: number) {}
}

describe('an update', () => {
  const row = {
    name: 'Shop',
    endTime: null as number | null,
    attributes: { a: [1], b: {} } as object,
    limits: [new Limit(1)],
  };

  test.each<Partial<typeof row>>([
    {},
    { name: 'Shop', endTime: null },
    { attributes: { b: {}, a: [1] } },
    { limits: [{ limit: 1 }] },
  ])('to the current values is no change: %j', (change) => {
    expect(differs(row, change)).toBe(false);
  });

  test.each<Partial<typeof row>>([
    { name: 'shop' },
    { name: 'Shop', endTime: 0 },
    { attributes: {} },
    { attributes: { a: ['1'], b: {} } },
    { attributes: { a: [1], b: [] } },
    { limits: [] },
    { limits: [new Limit(2)] },
  ])('to other values is a change: %j', (change) => {
    expect(differs(row, change)).toBe(true);
  });
});
