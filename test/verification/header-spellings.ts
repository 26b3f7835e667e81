/** What may stand in the name of a header beside letters and digits. */
export const SEPARATORS = [..."-_.~!#$%&'*+^`|"];

/**
 * Other spellings of a header's name, each of which some server gives to its application under the same name: all CGI
 * servers read an underscore for each hyphen, PHP reads dots so, and lighttpd reads all that is no letter or digit so.
 */
export function spellingsOf(name: string): string[] {
  const parts = name.split('-');
  if (parts.length === 1) return [];
  const spellings: string[] = [];
  // Each hyphen stays or becomes an underscore, in every combination but that of the name itself.
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
