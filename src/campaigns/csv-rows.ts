/** Text that is not CSV from a line on. */
export class CsvFault extends Error {
  constructor(
    /** Where the row begins, the first line is 1. */
    readonly line: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** A row of a file: its cells, and the line where it begins. */
export interface CsvRow {
  line: number;
  cells: string[];
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads CSV as RFC 4180 has it, strictly: quotes are around a whole cell, and twice inside it. Lines end with LF or CRLF,
 * also inside quotes, and are counted as a text editor counts them; blank lines are no rows. Text comes piece by piece,
 * and no more of it is kept than the row that has not ended yet.
 */
export class CsvRows {
  private text = '';
  /** Where the next row begins in the text. */
  private start = 0;
  private line = 1;
  private cells: string[] = [];
  private lineBreaks = 0;
  private begun = false;

  /** @param rowLengthMax the longest row, in characters */
  constructor(private readonly rowLengthMax: number) {}

  /** The rows that end in the next piece of text. Throws `CsvFault`. */
  *read(piece: string): Generator<CsvRow> {
    this.text = this.text.slice(this.start) + (this.begun ? piece : piece.replace(/^\ufeff/, ''));
    this.start = 0;
    this.begun ||= piece !== '';
    yield* this.rows(false);
  }

  /** The row that is left when there is no more text. Throws `CsvFault`. */
  *end(): Generator<CsvRow> {
    yield* this.rows(true);
    if (this.start < this.text.length) {
      throw this.fault('a quote is opened here and never closed');
    }
  }

  private *rows(last: boolean): Generator<CsvRow> {
    while (this.start < this.text.length) {
      const end = this.readRow(last);
      if ((end === -1 ? this.text.length : end) - this.start > this.rowLengthMax) {
        throw this.fault(`the row is longer than ${this.rowLengthMax} characters: perhaps a quote is never closed`);
      }
      if (end === -1) {
        return;
      }
      const blank = this.cells.length === 1 && this.cells[0] === '' && this.text.charCodeAt(this.start) !== QUOTE;
      const { line, cells } = this;
      this.start = end;
      this.line += this.lineBreaks + 1;
      if (!blank) {
        yield { line, cells };
      }
    }
  }

  /** Reads the cells of the next row; answers where the one behind it begins, or -1 if the row does not end here. */
  private readRow(last: boolean): number {
    this.cells = [];
    this.lineBreaks = 0;
    for (let place = this.start; ; place += 1) {
      place = this.text.charCodeAt(place) === QUOTE ? this.readQuoted(place, last) : this.readPlain(place, last);
      if (place === -1) {
        return -1;
      }
      const next = this.text.charCodeAt(place);
      if (next === LF) {
        return place + 1;
      }
      if (place >= this.text.length) {
        return place;
      }
      // What `readQuoted` and `readPlain` stop at otherwise is a comma.
    }
  }

  /** Reads a cell without quotes; answers where it ends: at a comma, a line feed, or the end of everything. */
  private readPlain(start: number, last: boolean): number {
    const { text } = this;
    for (let place = start; place < text.length; place += 1) {
      const unit = text.charCodeAt(place);
      if (unit === COMMA || unit === LF) {
        const end = unit === LF && place > start && text.charCodeAt(place - 1) === CR ? place - 1 : place;
        this.cells.push(text.slice(start, end));
        return place;
      }
      if (unit === QUOTE) {
        throw this.fault(
          'a quote is in the middle of a cell: such a cell is put in quotes, and quotes inside it are written twice',
        );
      }
    }
    if (!last) {
      return -1;
    }
    this.cells.push(text.slice(start));
    return text.length;
  }

  /** Reads a cell in quotes; answers like `readPlain`. */
  private readQuoted(start: number, last: boolean): number {
    const { text } = this;
    let close = text.indexOf('"', start + 1);
    let doubled = false;
    while (close !== -1 && text.charCodeAt(close + 1) === QUOTE) {
      doubled = true;
      close = text.indexOf('"', close + 2);
    }
    if (close === -1 || (!last && close + 2 >= text.length)) {
      return -1;
    }
    const cell = text.slice(start + 1, close);
    this.cells.push(doubled ? cell.replaceAll('""', '"') : cell);
    this.countLineBreaks(cell);
    const next = text.charCodeAt(close + 1);
    if (next === CR && text.charCodeAt(close + 2) === LF) {
      return close + 2;
    }
    if (close + 1 < text.length && next !== COMMA && next !== LF) {
      throw this.fault('a quote ends in the middle of a cell: quotes inside a cell are written twice');
    }
    return close + 1;
  }

  private countLineBreaks(cell: string): void {
    for (let at = cell.indexOf('\n'); at !== -1; at = cell.indexOf('\n', at + 1)) {
      this.lineBreaks += 1;
    }
  }

  private fault(detail: string): CsvFault {
    return new CsvFault(this.line, detail);
  }
}
