import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readCheckpointJson } from './checkpoint-json.js';
import { findLanguageModelWeights, type LlavaWeights } from './checkpoint-parts.js';
import { headMismatch, type LlamaShape, llamaConfigSchema, llamaShape } from './llama-config.js';
import { layoutMarksSchema } from './llava-config.js';
import { openWeights } from './open-weights.js';

/** The language model of a checkpoint, its weights found but not read. Close it when done. */
export interface LanguageModelCheckpoint {
  readonly text: LlamaShape;
  readonly weights: LlavaWeights['text'];
  close(): Promise<void>;
}

/** Models built around a plain Llama whose tensors are named as LLaVA's own code names them. */
const modelTypes = ['llava', 'llava_llama', 'mobilevlm'] as const;
const supported = 'only a plain Llama in the layout of LLaVA can be used';

/** Llama fields of `config.json`; those of tower and projector are not looked at. */
const configSchema = llamaConfigSchema.extend({
  model_type: z.enum(modelTypes, { error: `must be ${modelTypes.join(', ')}` }),
});

/**
 * Whether the language model of a checkpoint is a plain Llama in the layout of LLaVA, whatever its other parts are.
 *
 * @throws UserError when `config.json` cannot be read
 */
export async function holdsPlainLlama(path: string): Promise<boolean> {
  const marks = await readCheckpointJson(join(path, 'config.json'), layoutMarksSchema);
  return marks.text_config === undefined && modelTypes.some((type) => type === marks.model_type);
}

/**
 * Opens nothing but the language model of a checkpoint; vision tower, projector and tokenizer may be of any kind.
 *
 * @throws UserError naming file and field or tensor for whatever is missing, damaged or not supported
 */
export async function openLanguageModelCheckpoint(path: string): Promise<LanguageModelCheckpoint> {
  const configPath = join(path, 'config.json');
  const config = await readCheckpointJson(configPath, configSchema, supported);
  const mismatch = headMismatch(config);
  if (mismatch !== undefined) throw new UserError({ where: configPath, what: mismatch, fix: supported });
  const text = llamaShape(config);
  const model = await openWeights(path, '');
  try {
    const weights = findLanguageModelWeights({ ...text, tied: config.tie_word_embeddings ?? false }, model);
    return { text, weights, close: () => model.files.close() };
  } catch (error) {
    await model.files.close();
    throw error;
  }
}
