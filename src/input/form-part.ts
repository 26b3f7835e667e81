import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { Problem } from '../problems/problem.js';

/** Largest head of a part, in bytes; of a longer one the rest is not looked at. */
const HEAD_BYTES_MAX = 16 * 1024;
/** Parts of a form at the most; what comes behind them is passed over. */
const PARTS_MAX = 100;

/**
 * Streams one part of a `multipart/form-data` body, whether it is a file or a text field, however long it is. Other parts
 * are passed over.
 * Throws `media-type-unsupported`, `upload-malformed`, `upload-missing`, `body-incomplete`, and `body-too-large` where the
 * body has more than `bytesMax` bytes.
 *
 * @param contentType the request's header of that name
 * @param body the bytes of the request, as they come
 */
export async function* readFormPart(
  contentType: string | undefined,
  body: AsyncIterable<Buffer>,
  { name, bytesMax }: { name: string; bytesMax: number },
): AsyncGenerator<Buffer> {
  const form = openForm(contentType, name);
  const arrived: Buffer[] = [];
  const faults: Problem[] = [];
  let found = false;
  form.on('file', (_name, part, _fileName, transferEncoding) => {
    if (found) {
      faults.push(new Problem('upload-malformed', `The form has more than one part named ${name}.`));
    }
    if (!['7bit', '8bit', 'binary'].includes(transferEncoding)) {
      faults.push(new Problem('upload-malformed', `The part ${name} must not have a Content-Transfer-Encoding.`));
    }
    found = true;
    part.on('data', (chunk: Buffer) => arrived.push(chunk));
    // The form has the same error.
    part.on('error', () => undefined);
  });
  form.on('error', (cause) => {
    faults.push(new Problem('body-incomplete', 'The form ended before its last boundary.', {}, { cause }));
  });
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new Problem('body-too-large', `An upload may have up to ${bytesMax} bytes.`);
    }
    await new Promise<void>((resolve) => form.write(chunk, () => resolve()));
    throwFirst(faults);
    yield* arrived.splice(0);
  }
  await new Promise<void>((resolve) => {
    form.once('finish', resolve).once('error', () => resolve());
    form.end();
  });
  throwFirst(faults);
  yield* arrived;
  if (!found) {
    throw new Problem('upload-missing', `The form has no part named ${name}.`);
  }
}

function openForm(contentType = '', name: string): BusboyInstance {
  try {
    if (/^\s*multipart\/form-data\s*;/i.test(contentType)) {
      return new Busboy({
        headers: { 'content-type': contentType },
        // What is no file is kept in memory and cut: nothing of the other parts, and everything of this one if it were none.
        isPartAFile: (partName) => partName === name,
        limits: { fieldSize: 0, parts: PARTS_MAX, headerSize: HEAD_BYTES_MAX },
      });
    }
  } catch (cause) {
    throw mediaTypeUnsupported(cause);
  }
  throw mediaTypeUnsupported();
}

function mediaTypeUnsupported(cause?: unknown): Problem {
  return new Problem('media-type-unsupported', 'Send the file as multipart/form-data, with a boundary.', {}, { cause });
}

function throwFirst(faults: readonly Problem[]): void {
  const [first] = faults;
  if (first) {
    throw first;
  }
}
