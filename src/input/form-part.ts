import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { Problem } from '../problems/problem.js';

/** Maximum size of the headers of a part, in bytes. The rest of longer headers is ignored. */
const HEAD_BYTES_MAX = 16 * 1024;
/** Maximum number of parts of a form. Further parts are ignored. */
const PARTS_MAX = 100;

/**
 * Streams one part of a `multipart/form-data` body of any length, whether it is a file or a text field. Other parts are
 * ignored. Throws `media-type-unsupported`, `upload-malformed`, `upload-missing`, `body-incomplete`, and
 * `body-too-large` if the body has more than `bytesMax` bytes.
 *
 * @param contentType the `Content-Type` header of the request
 * @param body the bytes of the request, as they arrive
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
    // The form reports the same error.
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
        // The parser keeps text fields in memory and truncates them. Treating only this part as a file streams it, and
        // keeps nothing of the others.
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
