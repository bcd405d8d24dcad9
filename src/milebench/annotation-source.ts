import { readFile, stat } from 'node:fs/promises';
import { sha256 } from '../core/content-hash.js';
import { messageOf, UserError } from '../core/errors.js';
import { parsePythonJson } from '../core/python-json.js';
import { maxPythonJsonBytes } from '../core/python-json-file.js';
import type { PythonValue } from '../core/python-value.js';
import { type ProblemKind, problemKinds } from './problem-kinds.js';

/** An annotation as it lies on disk. */
export interface AnnotationText {
  readonly text: string;
  readonly json: PythonValue;
  readonly sha256: string;
}

/** An annotation, or why it cannot be read. */
export type AnnotationSource =
  | ({ readonly ok: true } & AnnotationText)
  | { readonly ok: false; readonly kind: ProblemKind; readonly what: string };

/** Byte order marks by what they announce. The one of UTF-32 begins as that of UTF-16 does. */
const byteOrderMarks = Object.freeze([
  { encoding: 'UTF-8 with a byte order mark', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'UTF-32', bytes: [0xff, 0xfe, 0, 0] },
  { encoding: 'UTF-16', bytes: [0xff, 0xfe] },
  { encoding: 'UTF-16', bytes: [0xfe, 0xff] },
]);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads an annotation whole, as `json.load` does on UTF-8 (which refuses byte order marks too). */
export async function readAnnotationSource(file: string): Promise<AnnotationSource> {
  let bytes: Buffer;
  try {
    const found = await stat(file);
    if (!found.isFile())
      return { ok: false, kind: 'annotation-missing', what: 'the annotation is not a file' };
    if (found.size > maxPythonJsonBytes) {
      const what = `the file has ${found.size} bytes, more than the ${maxPythonJsonBytes} that are read`;
      return { ok: false, kind: 'annotation-size', what };
    }
    bytes = await readFile(file);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const what = isMissing
      ? 'the annotation is missing'
      : `the annotation cannot be read (${messageOf(error)})`;
    return { ok: false, kind: 'annotation-missing', what };
  }
  if (bytes.length === 0) return { ok: false, kind: 'annotation-json', what: 'the file is empty' };
  const mark = byteOrderMarks.find((candidate) =>
    candidate.bytes.every((byte, index) => bytes[index] === byte),
  );
  if (mark !== undefined)
    return { ok: false, kind: 'annotation-encoding', what: `the file is ${mark.encoding}` };
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { ok: false, kind: 'annotation-encoding', what: 'the file is not UTF-8' };
  }
  try {
    return { ok: true, text, json: parsePythonJson(text), sha256: sha256(bytes) };
  } catch (error) {
    const isCut = !/[}\]]\s*$/.test(text.slice(-64));
    const why = isCut
      ? 'the file ends in the middle of its JSON'
      : `the file is not JSON (${messageOf(error)})`;
    return { ok: false, kind: 'annotation-json', what: why };
  }
}

/** The annotation of a dataset that is to be used. Throws a `UserError` naming the file when it cannot be read. */
export async function requireAnnotation(file: string): Promise<AnnotationText> {
  const source = await readAnnotationSource(file);
  if (source.ok) return source;
  throw new UserError({ what: source.what, where: file, fix: problemKinds[source.kind].fix });
}
