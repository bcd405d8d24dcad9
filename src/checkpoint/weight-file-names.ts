import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { readCheckpointJson } from './checkpoint-json.js';

/** Names a checkpoint's weights go by in its directory. */
const singleFileName = 'model.safetensors';
const indexFileName = 'model.safetensors.index.json';

/** A real checkpoint has a few hundred shards at most; bounds the files an index can make us open. */
const maxShards = 10_000;

const indexSchema = z.object({
  weight_map: z.record(z.string(), z.string().regex(/^[\w-][\w.-]*$/, 'is not a plain file name')),
});

/**
 * Names of the files holding the weights of a checkpoint directory: the index and its shards, or the one
 * weight file. Throws `UserError` when there is neither.
 */
export async function weightFileNames(dir: string): Promise<{ index?: string; weights: string[] }> {
  if (await fileExists(join(dir, singleFileName))) return { weights: [singleFileName] };
  const indexPath = join(dir, indexFileName);
  if (!(await fileExists(indexPath))) {
    throw new UserError({
      where: dir,
      what: `has neither ${singleFileName} nor ${indexFileName}`,
      fix: 'point to a downloaded checkpoint; save torch .bin weights with transformers save_pretrained(safe_serialization=True) first',
    });
  }
  const { weight_map } = await readCheckpointJson(indexPath, indexSchema);
  const weights = [...new Set(Object.values(weight_map))].sort();
  if (weights.length === 0 || weights.length > maxShards) {
    throw new UserError({
      where: indexPath,
      what: `weight_map names ${weights.length} files, expected 1 to ${maxShards}`,
      fix: 'download the index again',
    });
  }
  return { index: indexFileName, weights };
}
