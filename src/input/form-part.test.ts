import fc from 'fast-check';
import { readFormPart } from './form-part.js';
import { Problem } from '../problems/problem.js';

const TYPE = 'multipart/form-data; boundary=XyZ';
const LIMITS = { name: 'upFile', bytesMax: 20_500 };

function part(disposition: string, content: string | Buffer, more = ''): Buffer {
  const head = `--XyZ\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')]);
}

const END = Buffer.from('--XyZ--\r\n');

async function* inChunks(body: Buffer, sizes: number[] = [body.length]): AsyncGenerator<Buffer> {
  for (let start = 0, turn = 0; start < body.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    yield body.subarray(start, start + size);
    start += size;
  }
}

async function read(body: Buffer, { sizes, type = TYPE }: { sizes?: number[]; type?: string } = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readFormPart(type, inChunks(body, sizes), LIMITS)) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Problem) {
      return error.code;
    }
    throw error;
  }
  return 'none';
}

describe('a part of a form', () => {
  it('is read byte by byte as it was sent, however the network cuts it', async () => {
    const nearBoundary = fc.constantFrom('\r', '\n', '-', '\r\n', '\r\n--', '\r\n--XyZ'.slice(0, -1), 'XyZ', 'a', ' ');
    await fc.assert(
      fc.asyncProperty(
        fc.array(nearBoundary, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        async (pieces, sizes) => {
          const content = Buffer.from(pieces.join(''));
          fc.pre(!`\r\n${content.toString()}`.includes('\r\n--XyZ'));
          const body = Buffer.concat([
            part('name="other"', 'passed over'),
            part('name="upFile"', content),
            part('name="more"; filename="upFile"', 'passed over too'),
            END,
          ]);
          expect(await read(body, { sizes })).toEqual(content);
        },
      ),
    );
  });

  it.each([
    ['a file', 'name="upFile"; filename="coupons.csv"'],
    ['a text field', 'name="upFile"'],
    ['one whose name is not quoted', 'name=upFile; filename=x.csv'],
    ['one whose file is called after another field', 'filename="a\\"; name=\\"other\\".csv"; name="upFile"'],
  ])('is found as %s', async (_kind, disposition) => {
    const body = Buffer.concat([part(disposition, 'value\nABC'), END]);
    expect((await read(body)).toString()).toBe('value\nABC');
  });

  it('may be empty', async () => {
    expect(await read(Buffer.concat([part('name="upFile"', ''), END]))).toHaveLength(0);
  });

  it('is found behind a preamble and before an epilogue', async () => {
    const body = Buffer.from('hello\r\n--XyZ\r\ncontent-disposition: form-data;name="upFile"\r\n\r\nABC\r\n--XyZ--bye');
    expect((await read(body)).toString()).toBe('ABC');
  });

  it.each([
    ['upload-missing', Buffer.concat([part('name="file"', 'x'), END])],
    ['upload-missing', END],
    ['upload-malformed', Buffer.concat([part('name="upFile"', 'x'), part('name="upFile"', 'y'), END])],
    ['upload-malformed', Buffer.concat([part('name="upFile"', 'eA==', 'Content-Transfer-Encoding: base64\r\n'), END])],
    ['upload-missing', Buffer.concat([part(`x="${'x'.repeat(20_000)}"; name="upFile"`, 'x'), END])],
    [
      'upload-missing',
      Buffer.concat([...Array<Buffer>(100).fill(part('name="a"', 'x')), part('name="upFile"', 'x'), END]),
    ],
    ['body-incomplete', Buffer.alloc(0)],
    ['body-incomplete', Buffer.from('no form at all')],
    ['body-incomplete', part('name="upFile"', 'x')],
    ['body-incomplete', Buffer.concat([part('name="upFile"', 'x'), END.subarray(0, 6)])],
    ['body-too-large', Buffer.concat([part('name="upFile"', 'x'.repeat(20_501)), END])],
    [
      'body-too-large',
      Buffer.concat([part('name="other"', 'x'.repeat(10_250)), part('name="upFile"', 'x'.repeat(10_250)), END]),
    ],
  ])('is refused as %s', async (code, body) => {
    expect(await codeOf(read(body))).toBe(code);
    const sizes = body.length < 10_000 ? [3, 1] : [30, 1];
    expect(await codeOf(read(body, { sizes }))).toBe(code);
  });

  it('comes to an end, whatever the body is', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '--XyZ',
        '--XyZ--',
        '\r\n',
        '\r',
        '\n',
        '-',
        '--',
        ':',
        ' ',
        'a',
        '\0',
        'Content-Type: text/plain',
      ),
      fc.constantFrom('Content-Disposition: form-data; name="upFile"', 'content-disposition: form-data; name="b"'),
    );
    const codes = ['none', 'upload-missing', 'upload-malformed', 'body-incomplete'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        async (pieces, sizes) => {
          expect(codes).toContain(await codeOf(read(Buffer.from(pieces.join('')), { sizes })));
        },
      ),
      { numRuns: 500, timeout: 5000 },
    );
  });

  it.each([undefined, 'text/csv', 'multipart/form-data', 'multipart/mixed; boundary=XyZ'])(
    'is not looked for in a body of type %s',
    async (type) => {
      expect(await codeOf(read(END, { type: type ?? '' }))).toBe('media-type-unsupported');
    },
  );
});
