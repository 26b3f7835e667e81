/**
 * What a spreadsheet would run, or take for something else than text: a cell that begins with one of `= + - @`, in its
 * usual or its wide form and perhaps after white space, or with a tab or a line break. Apostrophes in front make it text.
 */
const RUNS = /^'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/u;

/** A text as a cell that no spreadsheet runs: with an apostrophe in front if it needs one. `unguard` takes it off again. */
export function guard(text: string): string {
  return RUNS.test(text) ? `'${text}` : text;
}

/** The text that a cell stands for. Whatever `guard` was given comes back, apostrophes of its own included. */
export function unguard(cell: string): string {
  return cell.startsWith("'") && RUNS.test(cell.slice(1)) ? cell.slice(1) : cell;
}
