import { weightNames } from '../checkpoint/weight-file-names.js';
import { UserError } from '../core/errors.js';
import type { RemoteFile } from '../hub/list-files.js';

/** What a checkpoint may have beside its weights. */
export const checkpointFileNames: readonly string[] = Object.freeze([
  ...['config.json', 'generation_config.json', 'preprocessor_config.json', 'prompt.json'],
  ...['tokenizer.json', 'tokenizer.model', 'tokenizer_config.json'],
  ...['added_tokens.json', 'special_tokens_map.json'],
]);

const singleNames: readonly string[] = weightNames.map(({ single }) => single);
const indexNames: readonly string[] = weightNames.map(({ index }) => index);

/** The files of a repository that have one of the names, in the order of the names. */
export function filesNamed(files: readonly RemoteFile[], names: readonly string[]): RemoteFile[] {
  return names.flatMap((name) => files.find(({ path }) => path === name) ?? []);
}

/** Whether a file lists those that hold the weights. */
export function isIndex({ path }: RemoteFile): boolean {
  return indexNames.includes(path);
}

/**
 * The file of a repository that is or lists its weights, in the format that is preferred; those of other formats hold
 * the same.
 *
 * @param repository as messages name it
 * @throws UserError when there are none
 */
export function weightsOrIndex(files: readonly RemoteFile[], repository: string): RemoteFile {
  const names = weightNames.flatMap(({ single, index }) => [single, index]);
  const [first] = filesNamed(files, names);
  if (first !== undefined) return first;
  const fix = 'give another --revision or repository';
  throw new UserError({ what: `it has none of ${names.join(', ')}`, where: repository, fix });
}

/**
 * The shards that an index names, as the repository has them.
 *
 * @throws UserError when it lacks one
 */
export function shardFiles(
  { index, names }: { readonly index: string; readonly names: readonly string[] },
  files: readonly RemoteFile[],
  repository: string,
): RemoteFile[] {
  return names.map((name) => {
    const shard = files.find(({ path }) => path === name);
    if (shard !== undefined) return shard;
    const fix = 'give another --revision or repository';
    throw new UserError({ what: `${index} names ${name}, which is not there`, where: repository, fix });
  });
}

/** Whether a file in the folder of a checkpoint could be read as part of it. */
export function isCheckpointFile(name: string): boolean {
  const known = [...checkpointFileNames, ...singleNames, ...indexNames];
  return known.includes(name) || /^[\w.-]+\.(?:safetensors|bin)$/.test(name);
}
