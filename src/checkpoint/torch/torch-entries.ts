import type { OpenFile } from '../read-fully.js';
import type { TensorEntry } from '../tensor-entry.js';
import { legacyStart, readLegacyEntries } from './legacy-entries.js';
import { readPart } from './read-part.js';
import { refused } from './torch-fault.js';
import { readZipEntries } from './zip-entries.js';

const zipStart = Buffer.from('PK\x03\x04', 'latin1');

/**
 * The tensors of an open file of `torch.save`, in the zip format or the one before it. Their data are not read, and
 * nothing of the pickle is executed.
 *
 * @throws UserError naming the file and what is damaged or not part of weights
 */
export async function readTorchEntries(file: OpenFile): Promise<TensorEntry[]> {
  const { size } = await file.handle.stat();
  const start = await readPart(file, {
    position: 0,
    bytes: Math.min(size, legacyStart.length),
    part: 'its first bytes',
  });
  if (start.subarray(0, zipStart.length).equals(zipStart)) return readZipEntries(file, size);
  if (start.equals(legacyStart)) return readLegacyEntries(file, size);
  throw refused(
    file.path,
    'is not a file that torch.save writes, neither a zip file nor of the format before it',
  );
}
