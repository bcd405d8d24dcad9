import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { readCheckpointJson } from './checkpoint-json.js';
import type { LlamaConfig } from './llama-config.js';
import {
  convertSentencePiece,
  defaultTokenizerConfig,
  sentencePieceName,
} from './sentencepiece/convert-tokenizer.js';
import { presentFiles, type SourceFile } from './source-files.js';
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

/**
 * Reads the tokenizer of a checkpoint and its token numbers, which `generation_config.json` may name before
 * `config.json` does. A `tokenizer.json` is taken as it is; without one, `tokenizer.model` is converted.
 *
 * @param supported what the user is told about tokens that cannot be used
 * @throws UserError naming file and field for whatever is missing, damaged or not supported
 */
export async function readCheckpointTokenizer(
  path: string,
  text: LlamaConfig,
  supported: string,
): Promise<CheckpointTokenizer> {
  const { addBos, files, sourceFiles } = await readFiles(path, text.vocab_size);
  const [generationFile] = await presentFiles(path, ['generation_config.json']);
  const generation = generationFile
    ? await readCheckpointJson(generationFile.path, generationConfigSchema)
    : {};
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
    throw new UserError({ where: generationFile?.path ?? join(path, 'config.json'), what, fix: supported });
  }
  return {
    tokens: { bos, eos: end, addBos },
    files,
    sourceFiles: [...sourceFiles, ...(generationFile ? [generationFile] : [])],
  };
}

/** Token numbers of `LlamaConfig` when no file names others. */
const llamaBos = 1;
const llamaEos = 2;

interface TokenizerFiles extends Pick<CheckpointTokenizer, 'files' | 'sourceFiles'> {
  readonly addBos: boolean;
}

async function readFiles(path: string, vocabSize: number): Promise<TokenizerFiles> {
  const [definition] = await presentFiles(path, ['tokenizer.json']);
  const [config] = await presentFiles(path, ['tokenizer_config.json']);
  const [model] = await presentFiles(path, [sentencePieceName]);
  if (definition === undefined) {
    if (model === undefined) throw missing(path, `neither tokenizer.json nor ${sentencePieceName}`);
    const converted = await convertSentencePiece(path, vocabSize);
    return {
      addBos: converted.config.add_bos_token,
      files: [jsonContent('tokenizer.json', converted.definition), configContent(converted.config)],
      sourceFiles: converted.sourceFiles,
    };
  }
  if (config === undefined && model === undefined) throw missing(path, 'no tokenizer_config.json');
  const maps = await presentFiles(path, ['special_tokens_map.json']);
  const copied = [definition, ...(config ? [config] : []), ...maps];
  const files = await Promise.all(copied.map(copiedContent));
  if (config === undefined) {
    const { add_bos_token: addBos } = defaultTokenizerConfig;
    return { addBos, files: [...files, configContent(defaultTokenizerConfig)], sourceFiles: copied };
  }
  const tokenizerConfig = await readCheckpointJson(config.path, tokenizerConfigSchema);
  return { addBos: addsBos(tokenizerConfig) ?? true, files, sourceFiles: copied };
}

async function copiedContent({ path, name }: SourceFile): Promise<NamedContent> {
  return { name, content: await readFile(path) };
}

function configContent(config: object): NamedContent {
  return jsonContent('tokenizer_config.json', config);
}

function jsonContent(name: string, content: object): NamedContent {
  return { name, content: Buffer.from(`${JSON.stringify(content, null, 2)}\n`) };
}

function missing(path: string, what: string): UserError {
  return new UserError({
    where: path,
    what: `has ${what}`,
    fix: 'save the tokenizer there with transformers: AutoTokenizer.from_pretrained(...).save_pretrained(...)',
  });
}
