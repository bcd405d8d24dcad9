import path from 'node:path';
import { openEmbeddingTable } from '../backbone/embedding-table.js';
import { mergeEmbeddings } from '../backbone/merge-embeddings.js';
import type { PreparedPrompt } from '../bench/run-cells.js';
import { convertLanguageModel } from '../convert/convert-language-model.js';
import { UserError } from '../core/errors.js';
import { fileExists, readJsonFile } from '../core/json-file.js';
import { openLanguageModel } from '../engine/language-model.js';
import { openNearestKeySearch } from '../engine/nearest-key.js';
import { Runtime } from '../engine/runtime.js';
import { type Golden, goldenModesSchema, goldenSchema } from './backbone-golden.js';
import { type Decoder, verifyFullCache, verifyModes } from './decoder-stages.js';
import { GoldenTensors } from './golden-tensors.js';
import { skippedTally } from './stage-checks.js';
import type { ModeTally } from './tally.js';

const restore = 'restore the vectors';

/**
 * Converts nothing but the language model of a vector directory's checkpoint and compares what is recorded of it, fed
 * with the recorded input embeddings. The stages before them are one skipped tally.
 *
 * @param out a directory to convert into, which must not exist yet
 * @throws UserError when the language model is not supported, or the vectors cannot be read
 */
export async function verifyLanguageModelVectors(directory: string, out: string): Promise<ModeTally[]> {
  const golden = await readJsonFile(path.join(directory, 'golden.json'), goldenSchema, restore);
  const inputStages = skippedTally(
    directory,
    'pixels, vision tower, projector and prompt',
    `only the language model of family ${golden.family} is verified, its other parts are not implemented yet`,
  );
  const manifest = await convertLanguageModel({ checkpoint: directory, out });
  const { vocabSize, hiddenSize, headDim } = manifest.text;
  const { file, dtype } = manifest.embedding;
  const runtime = new Runtime({ threads: 1 });
  const embeddings = openEmbeddingTable({ path: path.join(out, file), dtype, vocabSize, hiddenSize });
  try {
    const model = await openLanguageModel(runtime, { directory: out, manifest });
    const decoder = {
      model,
      embeddings,
      runtime,
      nearestKeys: await openNearestKeySearch(runtime, headDim),
    };
    const tensors = await GoldenTensors.open(path.join(directory, 'golden.safetensors'));
    try {
      return [inputStages, ...(await verifyLanguageModel(directory, decoder, golden, tensors))];
    } finally {
      await tensors.close();
    }
  } finally {
    embeddings.close();
    await runtime.close();
  }
}

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
