import fc from 'fast-check';
import { findPasswordFault, PASSWORD_LENGTH } from './password-rules.js';
import { mintPassword } from './passwords.js';

const GRACE = { name: 'Grace Hopper', email: 'g.hopper@navy.example' };

/** Repeats a text up to a number of characters. */
const repeat = (text: string, length: number): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);

describe('a new password', () => {
  it.each([
    'correct horse battery',
    'correct horse battery staple',
    'tulip ladder cement',
    'πέντε μαύρες γάτες στη στέγη',
    '雨の日に読む本と猫の長い話です',
    'F2#kd9!wQz7&pL4',
    'grace under pressure, twice a week',
  ])('may be %j', async (password) => {
    expect(await findPasswordFault(password, GRACE)).toBeUndefined();
  });

  it.each([
    'passwordpassword',
    'P@ssw0rd12345678',
    '123456789987654321',
    'qwertyuiop12345',
    '1qaz2wsx3edc4rfv',
    'abcdefghijklmnop',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    'letmeinletmein123',
    'summer2027summer2027',
    '２０２７２０２７２０２７２０２７',
    '🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑',
  ])('must not be %j, which is common or follows a pattern', async (password) => {
    expect(await findPasswordFault(password, GRACE)).toMatch(/^must be harder to guess: .*Choose several words/);
  });

  it.each([
    ['we like Grace Hopper a lot', 'the name of its user'],
    ['we like GRACE-HOPPER a lot', 'the name of its user'],
    ['we like Gráce_Höpper a lot', 'the name of its user'],
    ['g.hopper@navy.example', 'the e-mail address of its user'],
    ['ten tulips for GHopper', 'the e-mail address of its user'],
    ['my latchkey to the moon', 'Latchkey'],
    ['my Ｌａｔｃｈ-ｋｅｙ to the moon', 'Latchkey'],
  ])('must not be %j, which contains an obvious guess', async (password, what) => {
    expect(await findPasswordFault(password, GRACE)).toContain(`must not contain ${what}`);
  });

  it('must not combine names of its user with a year', async () => {
    for (const password of ['hopperhopper1906', 'Grace1906Hopper', 'H0pperGr4ce1906']) {
      expect(await findPasswordFault(password, GRACE)).toMatch(/harder to guess/);
    }
  });

  it('may contain a name of three characters, because many words contain it', async () => {
    expect(await findPasswordFault('canada ladder cement', { name: 'Ada', email: 'ada@example.com' })).toBeUndefined();
  });

  it('must not repeat a short text, at any length', async () => {
    const unit = fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' });
    const length = fc.integer(PASSWORD_LENGTH);
    await fc.assert(
      fc.asyncProperty(unit, length, async (text, characters) => {
        expect(await findPasswordFault(repeat(text, characters), GRACE)).toBeDefined();
      }),
    );
  });

  it('may be any text of exactly 15 to 128 characters without a pattern', async () => {
    const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!-é雨🔑');
    const random = fc.array(fc.noShrink(letter), { minLength: 1, maxLength: 140, size: 'max' });
    await fc.assert(
      fc.asyncProperty(random, async (letters) => {
        const fits = letters.length >= PASSWORD_LENGTH.min && letters.length <= PASSWORD_LENGTH.max;
        // A random text may contain a pattern, but not one of most of its characters.
        fc.pre(!fits || new Set(letters).size >= 10);
        expect((await findPasswordFault(letters.join(''), GRACE)) === undefined).toBe(fits);
      }),
    );
  });

  it('that is generated follows these rules for any user', async () => {
    const name = fc.string({ unit: fc.constantFrom(...'abcd2345 '), minLength: 0, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(name, name, async (fullName, localPart) => {
        const owner = { name: fullName, email: `${localPart}@example.com` };
        const password = await mintPassword(owner);
        expect(password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
        expect(await findPasswordFault(password, owner)).toBeUndefined();
      }),
    );
  });
});
