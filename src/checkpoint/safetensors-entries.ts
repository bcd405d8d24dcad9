import { UserError } from '../core/errors.js';
import { type OpenFile, readFully } from './read-fully.js';
import { headerLength, headerLengthBytes, parseHeader } from './safetensors-header.js';
import type { TensorEntry } from './tensor-entry.js';

/**
 * The tensors of an open safetensors file; their data are not read.
 *
 * @throws UserError as `parseHeader`
 */
export async function readSafetensorsEntries(file: OpenFile): Promise<TensorEntry[]> {
  const { size } = await file.handle.stat();
  if (size < headerLengthBytes) {
    throw new UserError({
      where: file.path,
      what: `has ${size} bytes, which is no safetensors file`,
      fix: 'download it again',
    });
  }
  const part = 'its header';
  const prefix = new Uint8Array(headerLengthBytes);
  await readFully(file, prefix, { position: 0, part });
  const header = new Uint8Array(headerLength(prefix, size, file.path));
  await readFully(file, header, { position: headerLengthBytes, part });
  return parseHeader(header, size, file.path);
}
