import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { readCheckpointJson } from './checkpoint-json.js';
import type { LlamaConfig } from './llama-config.js';
import type { SourceFile } from './source-files.js';
import { addsBos, generationConfigSchema, tokenizerConfigSchema } from './token-config.js';

/** A small file with its content. */
export interface NamedContent {
  readonly name: string;
  readonly content: Uint8Array;
}

/** The tokenizer of a checkpoint. */
export interface CheckpointTokenizer {
  readonly tokens: { readonly bos: number; readonly eos: number; readonly addBos: boolean };
  /** `tokenizer.json` and the files beside it, as they go into the bundle. */
  readonly files: readonly NamedContent[];
  /** Every file it was read from. */
  readonly sourceFiles: readonly SourceFile[];
}

const requiredFiles = ['tokenizer.json', 'tokenizer_config.json'];
const optionalFiles = ['special_tokens_map.json'];

/**
 * Reads the tokenizer of a checkpoint and its token numbers, which `generation_config.json` may name before
 * `config.json` does.
 *
 * @param supported what the user is told about tokens that cannot be used
 * @throws UserError naming file and field for whatever is missing, damaged or not supported
 */
export async function readCheckpointTokenizer(
  path: string,
  text: LlamaConfig,
  supported: string,
): Promise<CheckpointTokenizer> {
  const required = requiredFiles.map((name) => ({ path: join(path, name), name }));
  for (const file of required) {
    if (await fileExists(file.path)) continue;
    throw new UserError({
      where: path,
      what: `has no ${file.name}`,
      fix: 'save the tokenizer there with transformers: AutoTokenizer.from_pretrained(...).save_pretrained(...)',
    });
  }
  const copied = [...required, ...(await present(path, optionalFiles))];
  const tokenizer = await readCheckpointJson(join(path, 'tokenizer_config.json'), tokenizerConfigSchema);
  const generationFiles = await present(path, ['generation_config.json']);
  const generation =
    generationFiles[0] === undefined
      ? {}
      : await readCheckpointJson(generationFiles[0].path, generationConfigSchema);
  const bos = generation.bos_token_id ?? text.bos_token_id ?? llamaBos;
  const eos = generation.eos_token_id ?? text.eos_token_id ?? llamaEos;
  const ends = typeof eos === 'number' ? [eos] : eos;
  const end = ends[0];
  const unknown = [bos, ...ends].find((id) => id >= text.vocab_size);
  if (end === undefined || ends.length > 1 || unknown !== undefined) {
    const what =
      unknown === undefined
        ? `eos_token_id lists ${ends.length} tokens, only one is supported`
        : `token ${unknown} is not in the vocabulary of ${text.vocab_size}`;
    throw new UserError({
      where: generationFiles[0]?.path ?? join(path, 'config.json'),
      what,
      fix: supported,
    });
  }
  return {
    tokens: { bos, eos: end, addBos: addsBos(tokenizer) ?? true },
    files: await Promise.all(
      copied.map(async (file) => ({ name: file.name, content: await readFile(file.path) })),
    ),
    sourceFiles: [...copied, ...generationFiles],
  };
}

/** Token numbers of `LlamaConfig` when no file names others. */
const llamaBos = 1;
const llamaEos = 2;

async function present(path: string, names: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const name of names) {
    const file = { path: join(path, name), name };
    if (await fileExists(file.path)) files.push(file);
  }
  return files;
}
