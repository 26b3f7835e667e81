import { differs } from './differs.js';

class Limit {
  constructor(readonly limit: number) {}
}

describe('a change', () => {
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
  ])('to what is there already, %j, is none', (change) => {
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
  ])('to anything else, %j, is one', (change) => {
    expect(differs(row, change)).toBe(true);
  });
});
