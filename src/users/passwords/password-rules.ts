import { fold } from '../../database/fold.js';
import { lengthOf } from '../../input/fields/length.js';
import type { User } from '../user.entity.js';

/** Fewest and most characters of a new password (docs/decisions/0017-passwords.md). */
export const PASSWORD_LENGTH = { min: 15, max: 128 } as const;

/** What is wrong with a password of another length, and what to do. */
export const PASSWORD_LENGTH_FAULT = `must have ${PASSWORD_LENGTH.min} to ${PASSWORD_LENGTH.max} characters: several words that have nothing to do with each other make a good password`;

const PRODUCT = 'Latchkey';
/** Guesses that somebody needs who knows common passwords and patterns. zxcvbn gives its best score from here on. */
const GUESSES_MIN = 1e10;
/** The estimate takes longer with each character, 0.5 s for 128. It holds up everybody, and so many characters are enough. */
const JUDGED_CHARACTERS = 32;
/** Ways to read digits and signs as letters. More take longer and find nothing more. */
const SUBSTITUTIONS_MAX = 5;
/** Shorter names are part of too many words. */
const NAME_LENGTH_MIN = 4;

/** The person whose password it is to be. The first admin has no name of their own. */
export type PasswordOwner = Pick<User, 'email'> & Partial<Pick<User, 'name'>>;

/** Says what is wrong with a new password, and what to do; nothing if it may be used. */
export async function findPasswordFault(given: string, owner: PasswordOwner): Promise<string | undefined> {
  const length = lengthOf(given);
  if (length < PASSWORD_LENGTH.min || length > PASSWORD_LENGTH.max) {
    return PASSWORD_LENGTH_FAULT;
  }
  // In the form that is hashed.
  const password = given.normalize('NFKC');
  const { name = '', email } = owner;
  const [localPart = ''] = email.split('@');
  if (contains(password, name)) {
    return 'must not contain the name of its user: choose words that have nothing to do with the user';
  }
  if (contains(password, localPart) || contains(password, email)) {
    return 'must not contain the e-mail address of its user, or the part before the @: choose words that have nothing to do with the user';
  }
  if (contains(password, PRODUCT)) {
    return `must not contain ${PRODUCT}: choose words that have nothing to do with this service`;
  }
  const known = [PRODUCT, email, ...wordsOf(email), ...wordsOf(name)].map(fold);
  if ((await estimateGuesses(password, known)) < GUESSES_MIN) {
    return 'must be harder to guess: it is a common password, repeats itself, or follows a pattern. Choose several words that have nothing to do with each other';
  }
  return undefined;
}

type Estimate = (password: string, known: string[]) => number;
let estimator: Promise<Estimate> | undefined;

async function estimateGuesses(password: string, known: string[]): Promise<number> {
  estimator ??= loadEstimator();
  return (await estimator)(password, known);
}

/** Loads the common passwords only where they are needed: they take memory, and most processes never see a new password. */
async function loadEstimator(): Promise<Estimate> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  const zxcvbn = new ZxcvbnFactory({
    dictionary,
    graphs: adjacencyGraphs,
    maxLength: JUDGED_CHARACTERS,
    l33tMaxSubstitutions: SUBSTITUTIONS_MAX,
  });
  return (password, known) => zxcvbn.check(password, known).guesses;
}

/** Compares letters and digits only, without case and accents: `Grace-Hopper` contains `grace hopper`. */
function contains(password: string, name: string): boolean {
  const searched = lettersOf(name);
  return lengthOf(searched) >= NAME_LENGTH_MIN && lettersOf(password).includes(searched);
}

function lettersOf(text: string): string {
  return fold(text)
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

function wordsOf(text: string): string[] {
  return text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}
