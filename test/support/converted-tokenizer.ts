import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTokenizer, type TextTokenizer } from '../../src/backbone/tokenizer.js';
import {
  type CheckpointTokenizer,
  readCheckpointTokenizer,
} from '../../src/checkpoint/checkpoint-tokenizer.js';
import { llamaConfigSchema } from '../../src/checkpoint/llama-config.js';

/** Writes the tokenizer files of a checkpoint to `dir`; what is not bytes becomes JSON. */
export function writeTokenizerFiles(dir: string, files: Readonly<Record<string, unknown>>): void {
  mkdirSync(dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(dir, name), content instanceof Uint8Array ? content : JSON.stringify(content));
  }
}

/** Reads the tokenizer of the checkpoint in `dir`, whose model has `vocabSize` token rows. */
export function readTokenizerOf(dir: string, vocabSize = 32_064): Promise<CheckpointTokenizer> {
  return readCheckpointTokenizer(dir, llamaConfigSchema.parse({ vocab_size: vocabSize }), 'supported');
}

/** The tokenizer that a bundle of the checkpoint in `dir` would hold. */
export async function convertedTokenizer(dir: string, vocabSize?: number): Promise<TextTokenizer> {
  const bundle = join(dir, 'bundle');
  const { files } = await readTokenizerOf(dir, vocabSize);
  writeTokenizerFiles(bundle, Object.fromEntries(files.map(({ name, content }) => [name, content])));
  return openTokenizer(bundle);
}
