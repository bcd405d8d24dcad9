import { printable } from '../printable.js';
import type { OpenFile } from '../read-fully.js';
import type { TensorEntry } from '../tensor-entry.js';
import { maxPickleBytes } from './pickle-size.js';
import { readPart } from './read-part.js';
import { stateDictEntries } from './state-dict.js';
import { damaged, refused } from './torch-fault.js';
import { TorchMeaning } from './torch-meaning.js';
import { unpickle } from './unpickle.js';
import { readZipMembers } from './zip-members.js';

/** The pickle lies in the one folder of the archive, beside the folder of storages. */
const pickleName = /^([^/]+)\/data\.pkl$/;

/**
 * The tensors of a file that `torch.save` wrote since 1.6: a zip file with a pickle and one member a storage.
 *
 * @throws UserError naming file, member, name or tensor
 */
export async function readZipEntries(file: OpenFile, fileBytes: number): Promise<TensorEntry[]> {
  const { path } = file;
  const members = await readZipMembers(file, fileBytes);
  const roots = [...members.keys()].flatMap((name) => pickleName.exec(name)?.[1] ?? []);
  const root = roots[0];
  if (root === undefined || roots.length > 1)
    throw damaged(path, `holds ${roots.length} members data.pkl, not one`);
  const member = async (name: string, mostBytes: number): Promise<Buffer | undefined> => {
    const found = members.get(`${root}/${name}`);
    if (found === undefined) return undefined;
    const { offset, bytes } = found;
    if (bytes > mostBytes) {
      throw refused(
        path,
        `member ${printable(found.name)} has ${bytes} bytes, more than the allowed ${mostBytes}`,
      );
    }
    return readPart(file, { position: offset, bytes, part: `member ${printable(found.name)}` });
  };
  const order = (await member('byteorder', 64))?.toString('latin1').trim() ?? 'little';
  if (order !== 'little') {
    throw refused(path, `its numbers are stored in ${printable(order)} byte order, only little can be read`);
  }
  const pickle = await member('data.pkl', maxPickleBytes);
  const meaning = new TorchMeaning(path);
  const { value } = unpickle(pickle!, { start: 0, path, meaning });
  return stateDictEntries(value, {
    path,
    offsetOf: ({ key, bytes }) => {
      const found = members.get(`${root}/data/${key}`);
      if (found?.bytes === bytes) return found.offset;
      const what = found === undefined ? 'is not in it' : `has ${found.bytes} bytes instead of ${bytes}`;
      throw damaged(path, `storage ${printable(key)} ${what}`);
    },
  });
}
