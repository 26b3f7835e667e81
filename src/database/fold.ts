/**
 * A text without regard to case: what is compared or searched so is stored a second time in this form, because the two
 * engines disagree about case and accents in their own comparisons.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** A `LIKE` pattern for "contains this text", to be used with `ESCAPE '!'`. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[!%_]/g, '!$&')}%`;
}
