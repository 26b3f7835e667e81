/**
 * What ends a cell. Spreadsheets split at `,` `;` and tab by themselves or by their locale, and at `|` where people say so,
 * as files of other programs have it. It does not help that the export separates with `,` and quotes: where a spreadsheet
 * splits at `;`, a quote in the middle of a cell means nothing. No spreadsheet splits at a space unless it is told to, and
 * signs after a space are common in texts.
 */
const SEPARATOR = /[,;|\t\r\n]/;

/**
 * A character that begins a formula, in its usual or its wide form, and everything before it that a spreadsheet may take
 * away: separators, white space and quotes. Matches begin where such a stretch begins, so that none is looked at twice.
 */
const FORMULA = /(?<![,;|\s"'])([,;|\s"']*)([=+\-@＝＋－＠])/gu;

/**
 * A text as a cell that no spreadsheet runs, wherever it splits: with an apostrophe before each character that would begin
 * a formula. `unguard` takes them off again.
 */
export function guard(text: string): string {
  return text.replaceAll(FORMULA, (found: string, before: string, sign: string, place: number) =>
    beginsCell(before, place) ? `${before}'${sign}` : found,
  );
}

/** The text that a cell stands for. Whatever `guard` was given comes back, apostrophes of its own included. */
export function unguard(cell: string): string {
  return cell.replaceAll(FORMULA, (found: string, before: string, sign: string, place: number) =>
    beginsCell(before, place) && before.endsWith("'") ? before.slice(0, -1) + sign : found,
  );
}

function beginsCell(before: string, place: number): boolean {
  return place === 0 || SEPARATOR.test(before);
}
