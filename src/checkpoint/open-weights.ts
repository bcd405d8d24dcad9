import { join } from 'node:path';
import type { SourceFile } from './source-files.js';
import { openTensorFiles, type TensorFiles } from './tensor-files.js';
import { weightFileNames } from './weight-file-names.js';

/** Open weight files with the directory they were opened in. */
export interface OpenWeights {
  readonly dir: string;
  readonly files: TensorFiles;
  /** The weight files and their index. */
  readonly sources: readonly SourceFile[];
}

/**
 * Opens the weight files of a directory, one or many.
 *
 * @param prefix what the files' names start with in a manifest
 * @throws UserError when there are none or one is damaged
 */
export async function openWeights(dir: string, prefix: string): Promise<OpenWeights> {
  const { index, weights } = await weightFileNames(dir);
  const names = [...(index === undefined ? [] : [index]), ...weights];
  return {
    dir,
    files: await openTensorFiles(weights.map((name) => join(dir, name))),
    sources: names.map((name) => ({ path: join(dir, name), name: prefix + name })),
  };
}
