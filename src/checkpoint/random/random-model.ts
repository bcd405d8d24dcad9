import type { Model } from '../model.js';
import type { RandomModel } from './random-models.js';
import { RandomTensors, randomDtype } from './random-tensors.js';
import { syntheticTokenizer } from './synthetic-tokenizer.js';

export interface RandomModelOptions {
  readonly sizes: RandomModel;
  /** Decides all weights. */
  readonly seed: number;
  /** Most layers of language model and of tower; all of them when left out. */
  readonly layers?: number | undefined;
}

/**
 * A model of published sizes with random weights, made while they are read, and a tokenizer that cuts English about as
 * the published one does. Its answers mean nothing; what it costs to run is what the published model costs.
 */
export function randomModel({ sizes, seed, layers = Number.POSITIVE_INFINITY }: RandomModelOptions): Model {
  const { family, image, find } = sizes;
  const source = new RandomTensors(seed);
  const declare = (tensor: string, dims: readonly number[]) => {
    source.declare(tensor, dims);
    return { source, name: tensor, dtype: randomDtype };
  };
  const parts = find(
    {
      has: () => true,
      plain: (tensor, dims) => ({ ...declare(tensor, dims), role: 'plain', dims }),
      matrix: (tensor, dims) => ({ ...declare(tensor, dims), role: 'matrix', dims }),
    },
    layers,
  );
  const { tokenizer, config } = syntheticTokenizer(parts.text.shape.vocabSize);
  const json = (file: string, content: object) => ({
    name: file,
    content: Buffer.from(`${JSON.stringify(content)}\n`),
  });
  return {
    ...parts,
    family,
    image,
    aspect: 'pad',
    tokens: { bos: 1, eos: 2, addBos: true },
    prompt: undefined,
    tokenizerFiles: [json('tokenizer.json', tokenizer), json('tokenizer_config.json', config)],
  };
}
