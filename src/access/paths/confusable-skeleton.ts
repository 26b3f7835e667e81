const ascii = /^[\u0000-\u007f]*$/;
const invisible = /[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}\s]+/gu;

/**
 * Brings together whatever some reader could take for the same text: some compare without case, accents, widths or what
 * cannot be seen, and the long s lower-cases or upper-cases into an ASCII letter in one language and not in the next.
 * What two texts become one after the other is what they become together.
 */
export function confusableSkeleton(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  const visible = text.normalize('NFKD').replace(invisible, '');
  // At the end of a word a sigma is written, and lower-cased, in another way.
  return visible.toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKD');
}
