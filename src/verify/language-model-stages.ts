import path from 'node:path';
import { mergeEmbeddings } from '../backbone/merge-embeddings.js';
import type { PreparedPrompt } from '../bench/prefill-cells.js';
import { UserError } from '../core/errors.js';
import { fileExists, readJsonFile } from '../core/json-file.js';
import { type Golden, goldenModesSchema } from './backbone-golden.js';
import { type Decoder, verifyFullCache, verifyModes } from './decoder-stages.js';
import { GoldenTensors } from './golden-tensors.js';
import type { ModeTally } from './tally.js';

const restore = 'restore the vectors';

/**
 * Compares everything recorded from the input embeddings on: prefill, the full cache, and every cache mode.
 *
 * @throws UserError when the vectors cannot be read
 */
export async function verifyLanguageModel(
  directory: string,
  decoder: Decoder,
  golden: Golden,
  tensors: GoldenTensors,
): Promise<ModeTally[]> {
  const images = await recordedPrompt(directory, decoder, golden, tensors);
  const tokens = golden.full_cache_tokens;
  const tallies = await verifyFullCache(directory, decoder, images, { tensors, tokens });
  const modesFile = path.join(directory, 'golden_lookm.json');
  if (!(await fileExists(modesFile))) return tallies;
  const modes = await readJsonFile(modesFile, goldenModesSchema, restore);
  const modeTensors = await GoldenTensors.open(path.join(directory, 'golden_lookm.safetensors'));
  try {
    const textOnly = modes.text_only === undefined ? null : textPrompt(decoder, modes.text_only.input_ids);
    const recorded = { modes, tensors: modeTensors, full: tensors };
    tallies.push(...(await verifyModes(directory, decoder, { images, textOnly }, recorded)));
  } finally {
    await modeTensors.close();
  }
  return tallies;
}

/** The recorded input embeddings, with the recorded places of the images. */
async function recordedPrompt(
  directory: string,
  { model }: Decoder,
  { sequence_length: length, image_spans: spans }: Golden,
  tensors: GoldenTensors,
): Promise<PreparedPrompt> {
  const refuse = (where: string, what: string): never => {
    throw new UserError({ where: path.join(directory, where), what, fix: restore });
  };
  const { hiddenSize } = model.config;
  const dims = tensors.dims('inputs_embeds');
  if (dims.length !== 2 || dims[0] !== length || dims[1] !== hiddenSize) {
    const found = `inputs_embeds is [${dims.join(', ')}]`;
    refuse('golden.safetensors', `${found}, but golden.json and config.json mean [${length}, ${hiddenSize}]`);
  }
  const modality = new Uint8Array(length);
  for (const [start, end] of spans) {
    if (start >= end || end > length) {
      refuse('golden.json', `image span [${start}, ${end}] does not fit ${length} positions`);
    }
    modality.fill(1, start, end);
  }
  return { embeddings: await tensors.floats('inputs_embeds'), modality };
}

/** A prompt without images. */
function textPrompt({ model, embeddings }: Decoder, inputIds: readonly number[]): PreparedPrompt {
  const { hiddenSize } = model.config;
  const { readRow } = embeddings;
  return {
    embeddings: mergeEmbeddings({ inputIds, imageFeatures: [], hiddenSize, readRow }),
    modality: new Uint8Array(inputIds.length),
  };
}
