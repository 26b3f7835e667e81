import { Problem } from './problem.js';

const CRLF = Buffer.from('\r\n');
const BLANK_LINE = Buffer.from('\r\n\r\n');
/** Largest head of a part, in bytes. */
const HEAD_BYTES_MAX = 16 * 1024;
const PARAMETER = /;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/gy;

/** What a form says about one of its parts. */
interface PartHead {
  name: string | undefined;
  transferEncoding: string | undefined;
}

/**
 * Streams one part of a `multipart/form-data` body, whether it is a file or a text field, however long it is: form
 * parsers keep a text field in memory, and cut it in silence. Other parts are passed over.
 * Throws `media-type-unsupported`, `upload-malformed`, `upload-missing`, `body-incomplete`, and `body-too-large` where all
 * parts together have more than `bytesMax` bytes.
 *
 * @param contentType the request's header of that name
 * @param body the bytes of the request, as they come
 */
export async function* readFormPart(
  contentType: string | undefined,
  body: AsyncIterator<Buffer>,
  { name, bytesMax }: { name: string; bytesMax: number },
): AsyncGenerator<Buffer> {
  const reader = new DelimitedReader(body);
  const delimiter = Buffer.from(`\r\n--${boundaryOf(contentType)}`);
  let found = false;
  let bytes = 0;
  for await (const _preamble of reader.until(delimiter)) {
    // Nobody reads what stands before the first part.
  }
  while (!(await reader.startsWith('--'))) {
    const head = readHead(await reader.head());
    const wanted = head.name === name;
    if (wanted && found) {
      throw new Problem('upload-malformed', `The form has more than one part named ${name}.`);
    }
    if (wanted && head.transferEncoding !== undefined && !/^(7bit|8bit|binary)$/i.test(head.transferEncoding)) {
      throw new Problem('upload-malformed', `The part ${name} must not have a Content-Transfer-Encoding.`);
    }
    found ||= wanted;
    for await (const chunk of reader.until(delimiter)) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        throw new Problem('body-too-large', `An upload may have up to ${bytesMax} bytes.`);
      }
      if (wanted) {
        yield chunk;
      }
    }
  }
  if (!found) {
    throw new Problem('upload-missing', `The form has no part named ${name}.`);
  }
}

/** Reads a stream of bytes up to delimiters, of which it never keeps more than one chunk. */
class DelimitedReader {
  /** As if the body began with a line break, so that the first delimiter is like all others. */
  private buffer: Buffer = CRLF;

  constructor(private readonly body: AsyncIterator<Buffer>) {}

  /** Everything up to a delimiter, which is consumed as well. */
  async *until(delimiter: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.buffer.indexOf(delimiter);
      const end = at === -1 ? Math.max(0, this.buffer.length - delimiter.length + 1) : at;
      if (end > 0) {
        yield this.take(end);
      }
      if (at !== -1) {
        this.take(delimiter.length);
        return;
      }
      await this.readOn();
    }
  }

  /** Whether ASCII text comes next. Nothing is consumed. */
  async startsWith(text: string): Promise<boolean> {
    while (this.buffer.length < text.length) {
      await this.readOn();
    }
    return this.buffer.toString('latin1', 0, text.length) === text;
  }

  /** The head of a part, which ends with a blank line. */
  async head(): Promise<string> {
    for (;;) {
      const at = this.buffer.indexOf(BLANK_LINE);
      if (at !== -1 && at <= HEAD_BYTES_MAX) {
        const head = this.take(at).toString('utf8');
        this.take(BLANK_LINE.length);
        return head;
      }
      if (this.buffer.length > HEAD_BYTES_MAX + BLANK_LINE.length) {
        throw new Problem('upload-malformed', 'The head of a part of the form is too long.');
      }
      await this.readOn();
    }
  }

  private take(bytes: number): Buffer {
    const taken = this.buffer.subarray(0, bytes);
    this.buffer = this.buffer.subarray(bytes);
    return taken;
  }

  private async readOn(): Promise<void> {
    const next = await this.body.next();
    if (next.done) {
      throw new Problem('body-incomplete', 'The form ended before its last boundary.');
    }
    this.buffer = this.buffer.length === 0 ? next.value : Buffer.concat([this.buffer, next.value]);
  }
}

function boundaryOf(contentType = ''): string {
  const boundary = /^\s*multipart\/form-data\s*(?=;)/i.test(contentType)
    ? parametersOf(contentType).get('boundary')
    : undefined;
  if (boundary === undefined || boundary === '' || boundary.length > 70) {
    throw new Problem('media-type-unsupported', 'Send the file as multipart/form-data, with a boundary.');
  }
  return boundary;
}

function readHead(text: string): PartHead {
  const headers = new Map(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon === -1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const];
    }),
  );
  return {
    name: parametersOf(headers.get('content-disposition') ?? '').get('name'),
    transferEncoding: headers.get('content-transfer-encoding'),
  };
}

/** The parameters of a header's value, by their names in lower case; the first of equal names counts. */
function parametersOf(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = Math.max(0, value.indexOf(';'));
  for (let match = PARAMETER.exec(value); match; match = PARAMETER.exec(value)) {
    const name = match[1]!.toLowerCase();
    if (!parameters.has(name)) {
      parameters.set(name, match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3]!);
    }
  }
  return parameters;
}
