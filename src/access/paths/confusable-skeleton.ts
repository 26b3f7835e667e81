const ascii = /^[\u0000-\u007f]*$/;
const invisible = /[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}\s]+/gu;

/**
 * Maps all texts that some reader could take for the same text to one text. Some readers ignore case, accents, widths
 * or invisible characters. Some languages map the long s to an ASCII letter when they change case, and others do not.
 * The skeleton of two joined texts is their two skeletons joined.
 */
export function confusableSkeleton(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  const visible = text.normalize('NFKD').replace(invisible, '');
  // Lower-casing writes a sigma at the end of a word as another letter.
  return visible.toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKD');
}
