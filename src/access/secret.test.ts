import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { hashSecret, isWellFormedSecret, mintSecret } from './secret.js';

/**
 * Created with Python's zlib.crc32 and a separate base62 function, so that both sides of the test cannot share a
 * mistake.
 */
const KNOWN = `lkm_${'0123456789'.repeat(4)}abc0ztGTn`;

describe('a secret', () => {
  it('has its prefix, 43 random and 6 check characters', () => {
    expect(mintSecret('lkm_')).toMatch(/^lkm_[0-9A-Za-z]{49}$/);
    expect(mintSecret('lks_')).toMatch(/^lks_[0-9A-Za-z]{49}$/);
  });

  it('is well-formed after its creation, but only with its own prefix', () => {
    for (let round = 0; round < 200; round += 1) {
      const secret = mintSecret('lkm_');
      expect(isWellFormedSecret('lkm_', secret)).toBe(true);
      expect(isWellFormedSecret('lks_', secret)).toBe(false);
      expect(isWellFormedSecret('lks_', `lks_${secret.slice(4)}`)).toBe(false);
    }
  });

  it('has a checksum that other programs can compute', () => {
    expect(isWellFormedSecret('lkm_', KNOWN)).toBe(true);
  });

  it('is malformed after any typo of one character', () => {
    const secret = mintSecret('lks_');
    for (let position = 4; position < secret.length; position += 1) {
      const typo = secret[position] === 'x' ? 'y' : 'x';
      expect(isWellFormedSecret('lks_', secret.slice(0, position) + typo + secret.slice(position + 1))).toBe(false);
    }
  });

  it('is not well-formed if it is any other text', () => {
    const secret = mintSecret('lkm_');
    for (const text of [
      '',
      'lkm_',
      `${secret}0`,
      `${secret}\n`,
      ` ${secret}`,
      secret.slice(0, -1),
      'lkm_é'.padEnd(53),
    ]) {
      expect(isWellFormedSecret('lkm_', text)).toBe(false);
    }
    fc.assert(fc.property(fc.string(), (text) => !isWellFormedSecret('lkm_', text)));
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => !isWellFormedSecret('lks_', `lks_${text}`)));
  });

  it('uses every character about equally often and never repeats', () => {
    const secrets = Array.from({ length: 5000 }, () => mintSecret('lkm_'));
    expect(new Set(secrets).size).toBe(secrets.length);
    const counts = new Map<string, number>();
    for (const character of secrets.flatMap((secret) => [...secret.slice(4, 47)])) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    const expected = (secrets.length * 43) / 62;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(counts.size).toBe(62);
    // With 61 degrees of freedom, a fair source exceeds this once in about a hundred million runs.
    expect(chiSquare).toBeLessThan(145);
  });

  it('is stored as its SHA-256', () => {
    expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const secret = mintSecret('lkm_');
    expect(hashSecret(secret)).toBe(createHash('sha256').update(secret).digest('hex'));
  });
});
