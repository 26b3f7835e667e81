/** The characters of a header name other than letters and digits. */
export const SEPARATORS = [..."-_.~!#$%&'*+^`|"];

/**
 * Returns other spellings of a header's name that some server passes on under the same name. All CGI servers write an
 * underscore for each hyphen. PHP also does so for dots, and lighttpd for every character that is not a letter or
 * digit.
 */
export function spellingsOf(name: string): string[] {
  const parts = name.split('-');
  if (parts.length === 1) return [];
  const spellings: string[] = [];
  // Each hyphen stays or becomes an underscore, in every combination except that of the name itself.
  for (let mask = 1; mask < 2 ** (parts.length - 1); mask += 1) {
    spellings.push(parts.reduce((start, part, index) => `${start}${mask & (1 << (index - 1)) ? '_' : '-'}${part}`));
  }
  return [
    ...spellings,
    spellings.at(-1)!.toLowerCase(),
    parts.join('.'),
    name.replace(/-(?=[^-]*$)/, '.'),
    parts.join('!'),
  ];
}
