import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { readCheckpointJson } from './checkpoint-json.js';
import { printable } from './printable.js';

/** Names a checkpoint's weights go by in its directory; the first that is there is used. */
export const weightNames = [
  { single: 'model.safetensors', index: 'model.safetensors.index.json' },
  { single: 'pytorch_model.bin', index: 'pytorch_model.bin.index.json' },
] as const;

/** A real checkpoint has a few hundred shards at most; bounds the files an index can make us open. */
const maxShards = 10_000;

/** No separators: a name cannot lead out of the directory. */
const plainName = /^[\w-][\w.-]*$/;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.unknown()) });

/**
 * Names of the files holding the weights of a checkpoint directory: the index and its shards, or the one
 * weight file; safetensors rather than torch's own format. Throws `UserError` when there are none.
 */
export async function weightFileNames(dir: string): Promise<{ index?: string; weights: string[] }> {
  for (const { single, index } of weightNames) {
    if (await fileExists(join(dir, single))) return { weights: [single] };
    if (await fileExists(join(dir, index))) return { index, weights: await shardNames(join(dir, index)) };
  }
  const names = weightNames.flatMap(({ single, index }) => [single, index]);
  throw new UserError({
    where: dir,
    what: `has no weights: none of ${names.join(', ')}`,
    fix: 'point to a downloaded checkpoint',
  });
}

/** Names of the shards that an index lists. Throws `UserError` when it is damaged. */
export async function shardNames(indexPath: string): Promise<string[]> {
  const { weight_map } = await readCheckpointJson(indexPath, indexSchema);
  const names = new Set<string>();
  for (const [tensor, name] of Object.entries(weight_map)) {
    if (typeof name !== 'string' || !plainName.test(name)) {
      throw new UserError({
        where: indexPath,
        what: `weight_map: ${printable(tensor)}: ${typeof name === 'string' ? printable(name) : 'this'} is not a plain file name`,
        fix: 'download the index again',
      });
    }
    names.add(name);
  }
  const weights = [...names].sort();
  if (weights.length === 0 || weights.length > maxShards) {
    throw new UserError({
      where: indexPath,
      what: `weight_map names ${weights.length} files, expected 1 to ${maxShards}`,
      fix: 'download the index again',
    });
  }
  return weights;
}
