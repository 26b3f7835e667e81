/**
 * What ends a cell. Spreadsheets split at `,` `;` and tab by default or by locale, and at `|` if the user chooses it,
 * as in files of other programs. Separating by `,` and quoting does not protect: a spreadsheet that splits at `;`
 * ignores a quote in the middle of a cell. No spreadsheet splits at a space by default, and signs after a space are
 * common in texts.
 */
const SEPARATOR = /[,;|\t\r\n]/;

/**
 * A character that starts a formula, in its usual or its full-width form, and everything before it that a spreadsheet
 * may remove: separators, white space and quotes. A match starts at the start of such a run, so that no run is scanned
 * twice.
 */
const FORMULA = /(?<![,;|\s"'])([,;|\s"']*)([=+\-@＝＋－＠])/gu;

/**
 * Escapes a text as a cell that no spreadsheet runs, wherever it splits. It puts an apostrophe before each character
 * that would start a formula. `unguard` removes them again.
 */
export function guard(text: string): string {
  return text.replaceAll(FORMULA, (found: string, before: string, sign: string, place: number) =>
    beginsCell(before, place) ? `${before}'${sign}` : found,
  );
}

/** Returns the text of a cell. It restores every text that was given to `guard`, including apostrophes of its own. */
export function unguard(cell: string): string {
  return cell.replaceAll(FORMULA, (found: string, before: string, sign: string, place: number) =>
    beginsCell(before, place) && before.endsWith("'") ? before.slice(0, -1) + sign : found,
  );
}

function beginsCell(before: string, place: number): boolean {
  return place === 0 || SEPARATOR.test(before);
}
