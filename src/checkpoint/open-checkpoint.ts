import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { readCheckpointJson } from './checkpoint-json.js';
import { type CheckpointTokenizer, readCheckpointTokenizer } from './checkpoint-tokenizer.js';
import type { BackboneFamily, CheckpointDescription, ModelParts } from './families/family.js';
import { familyOf } from './families/registry.js';
import { isDirectory } from './families/tower-directory.js';
import { findTensors } from './find-tensors.js';
import type { Model } from './model.js';
import { openWeights } from './open-weights.js';
import type { SourceFile } from './source-files.js';
import { type PromptFile, promptFileSchema } from './token-config.js';

/** A checkpoint, checked in full, its weights found but not read. Close it when done. */
export interface Checkpoint extends Model {
  /** Every file the checkpoint was read from. */
  readonly sourceFiles: readonly SourceFile[];
  close(): Promise<void>;
}

export interface OpenCheckpointOptions {
  readonly path: string;
  /** Directory of the vision tower, for checkpoints whose tower is a repository of its own. */
  readonly vision?: string | undefined;
}

/** What can be said of a checkpoint without its weights. */
export interface CheckpointConfigs {
  readonly family: BackboneFamily;
  readonly description: CheckpointDescription;
  readonly tokenizer: CheckpointTokenizer;
  readonly prompt: { readonly file: SourceFile; readonly content: PromptFile } | undefined;
}

/**
 * Reads and checks everything of a checkpoint except its weights, which need not be there.
 *
 * @throws UserError naming file and field for whatever is missing, damaged or not supported
 */
export async function readCheckpointConfigs({
  path,
  vision,
}: OpenCheckpointOptions): Promise<CheckpointConfigs> {
  const family = await familyOf(path);
  const description = await family.read({ path, vision });
  const tokenizer = await readCheckpointTokenizer(path, description.text, family.supported);
  return { family, description, tokenizer, prompt: await readPromptFile(path) };
}

/**
 * Opens a checkpoint of any family in the registry (`families/`).
 *
 * @throws UserError naming file and field or tensor for whatever is missing, damaged or not supported
 */
export async function openCheckpoint({ path, vision }: OpenCheckpointOptions): Promise<Checkpoint> {
  if (!(await isDirectory(path))) {
    throw new UserError({ where: path, what: 'is not a directory', fix: 'point to a downloaded checkpoint' });
  }
  const { family, description, tokenizer, prompt } = await readCheckpointConfigs({ path, vision });
  const { parts, sources, close } = await openParts(path, description);
  return {
    ...parts,
    family,
    image: description.image,
    aspect: description.aspect,
    tokens: { ...tokenizer.tokens, addBos: tokenizer.tokens.addBos && (prompt?.content.allowsBos ?? true) },
    prompt: prompt?.content,
    tokenizerFiles: tokenizer.files,
    sourceFiles: [
      { path: join(path, 'config.json'), name: 'config.json' },
      ...(prompt === undefined ? [] : [prompt.file]),
      ...description.sourceFiles,
      ...tokenizer.sourceFiles,
      ...sources,
    ],
    close,
  };
}

/** Opens the weight files of checkpoint and tower and finds every tensor; nothing stays open on failure. */
async function openParts(
  path: string,
  { towerWeights, find }: CheckpointDescription,
): Promise<{ parts: ModelParts; sources: readonly SourceFile[]; close: () => Promise<void> }> {
  const model = await openWeights(path, '');
  const opened = [model];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map(({ files }) => files.close()));
  };
  try {
    if (towerWeights !== undefined) opened.push(await openWeights(towerWeights.dir, towerWeights.name));
    const parts = findTensors({ model, tower: opened.at(-1)! }, find);
    return { parts, sources: opened.flatMap(({ sources }) => sources), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readPromptFile(path: string): Promise<CheckpointConfigs['prompt']> {
  const file = { path: join(path, 'prompt.json'), name: 'prompt.json' };
  if (!(await fileExists(file.path))) return undefined;
  return { file, content: await readCheckpointJson(file.path, promptFileSchema) };
}
