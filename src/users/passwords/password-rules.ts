import { fold } from '../../database/fold.js';
import { lengthOf } from '../../input/fields/length.js';
import type { User } from '../user.entity.js';

/** Minimum and maximum length of a new password (docs/decisions/0017-passwords.md). */
export const PASSWORD_LENGTH = { min: 15, max: 128 } as const;

/** The fault of a password of another length, and what to do. */
export const PASSWORD_LENGTH_FAULT = `must have ${PASSWORD_LENGTH.min} to ${PASSWORD_LENGTH.max} characters: several unrelated words make a good password`;

const PRODUCT = 'Latchkey';
/**
 * The minimum number of guesses for an attacker who knows common passwords and patterns. zxcvbn gives its best score
 * from here on.
 */
const GUESSES_MIN = 1e10;
/** The estimate blocks the process, and takes longer with each character: 0.5 s for 128. This many are enough. */
const JUDGED_CHARACTERS = 32;
/** How many substitutions of letters by digits and signs are tried. More take longer and find nothing more. */
const SUBSTITUTIONS_MAX = 5;
/** Shorter names are part of too many words. */
const NAME_LENGTH_MIN = 4;

/** The user who will have the password. The first admin has no name. */
export type PasswordOwner = Pick<User, 'email'> & Partial<Pick<User, 'name'>>;

/** Returns the fault of a new password and what to do, or undefined if the password is acceptable. */
export async function findPasswordFault(given: string, owner: PasswordOwner): Promise<string | undefined> {
  const length = lengthOf(given);
  if (length < PASSWORD_LENGTH.min || length > PASSWORD_LENGTH.max) {
    return PASSWORD_LENGTH_FAULT;
  }
  // Checks the same form that is hashed.
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

/** Loads the common passwords on first use, because they take memory and most processes never see a new password. */
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

/** Compares only letters and digits, without case and accents: `Grace-Hopper` contains `grace hopper`. */
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
