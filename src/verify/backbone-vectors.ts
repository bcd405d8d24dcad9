import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { mergeEmbeddings } from '../backbone/merge-embeddings.js';
import { layOutModalities } from '../backbone/modality-spans.js';
import { openBundle } from '../backbone/open-bundle.js';
import { findPromptTemplate } from '../backbone/prompt-template.js';
import { imagePlaceholderId, tokenizePrompt } from '../backbone/tokenize-prompt.js';
import { type Backbone, openBackbone } from '../bench/open-backbone.js';
import type { PreparedPrompt } from '../bench/prefill-cells.js';
import { convertCheckpoint } from '../convert/convert-checkpoint.js';
import { readJsonFile } from '../core/json-file.js';
import { openRuntime } from '../engine/open-runtime.js';
import { type GoldenHf, goldenFamilySchema, goldenHfSchema, goldenSchema } from './backbone-golden.js';
import { fullCacheChecks } from './decoder-stages.js';
import { GoldenTensors } from './golden-tensors.js';
import { imageChecks, verifyInputStages } from './input-stages.js';
import { verifyLanguageModel } from './language-model-stages.js';
import { equality, type StageCheck, stageTally } from './stage-checks.js';
import { type ModeTally, sameIntegers } from './tally.js';

/** LOOK-M's template for LLaVA; only stop strings and text around the question depend on it. */
const hfTemplate = 'llava_llama_2';
const restore = 'restore the vectors';

/**
 * Converts the checkpoint of a vector directory and compares every recorded stage: pixels, vision tower, projector,
 * prompt, embeddings, K, V, column sums, logits and the tokens of every cache mode.
 *
 * @throws UserError when the checkpoint cannot be converted or the vectors cannot be read
 */
export async function verifyBackboneVectors(directory: string): Promise<ModeTally[]> {
  const file = path.join(directory, 'golden.json');
  const golden = await readJsonFile(file, goldenFamilySchema, restore);
  const out = await mkdtemp(path.join(os.tmpdir(), 'lookm-verify-'));
  try {
    const isHf = 'same_prompt_as_llava' in golden;
    const template = isHf ? hfTemplate : (await readJsonFile(file, goldenSchema, restore)).prompt_template;
    const prompt = findPromptTemplate(template);
    const bundleDirectory = path.join(out, 'bundle');
    await convertCheckpoint({ checkpoint: directory, out: bundleDirectory, dtype: 'fp32', prompt });
    const bundle = await openBundle(bundleDirectory, { verify: 'hashes' });
    const backbone = await openBackbone(
      bundle,
      await openRuntime({ threads: 1, attention: 'auto', device: 'cpu' }),
    );
    try {
      return isHf ? await verifyHf(directory, backbone) : await verifyOriginal(directory, backbone);
    } finally {
      await backbone.close();
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function verifyOriginal(directory: string, backbone: Backbone): Promise<ModeTally[]> {
  const golden = await readJsonFile(path.join(directory, 'golden.json'), goldenSchema, restore);
  const tensors = await GoldenTensors.open(path.join(directory, 'golden.safetensors'));
  try {
    return [
      ...(await verifyInputStages(directory, backbone, golden, tensors)),
      ...(await verifyLanguageModel(directory, backbone, golden, tensors)),
    ];
  } finally {
    await tensors.close();
  }
}

/** A prompt from recorded ids and features. */
function embedded(
  backbone: Backbone,
  inputIds: readonly number[],
  imageFeatures: readonly Float32Array[],
): PreparedPrompt {
  const { text, vision } = backbone.bundle.manifest;
  const { readRow } = backbone.embeddings;
  const { imageMask: modality } = layOutModalities(inputIds, { tokensPerImage: vision.tokensPerImage });
  return {
    embeddings: mergeEmbeddings({ inputIds, imageFeatures, hiddenSize: text.hiddenSize, readRow }),
    modality,
  };
}

/** Vectors in the Hugging Face layout: the other layout's prompt and its own, image by image from the files. */
async function verifyHf(directory: string, backbone: Backbone): Promise<ModeTally[]> {
  const golden = await readJsonFile(path.join(directory, 'golden.json'), goldenHfSchema, restore);
  const tensors = await GoldenTensors.open(path.join(directory, 'golden.safetensors'));
  const twin = await GoldenTensors.open(path.join(directory, golden.same_weights_as, 'golden.safetensors'));
  try {
    const { same_prompt_as_llava: same } = golden;
    const pixels = await twin.floats('pixel_values_pad');
    const images = await features(backbone, pixels, golden.images.length);
    const shared = await fullCacheChecks(backbone, embedded(backbone, same.input_ids, images), {
      tokens: same.tokens,
      logits: await tensors.floats('logits_last'),
    });
    return [
      stageTally(directory, 'prompt of the other layout', shared),
      stageTally(
        directory,
        'own prompt, cropped image',
        await ownPromptChecks(directory, backbone, golden, tensors),
      ),
    ];
  } finally {
    await tensors.close();
    await twin.close();
  }
}

async function features(backbone: Backbone, pixels: Float32Array, images: number): Promise<Float32Array[]> {
  const size = pixels.length / images;
  const encoded: Float32Array[] = [];
  for (let image = 0; image < images; image++) {
    const { features: rows } = await backbone.vision.stages(pixels.slice(image * size, (image + 1) * size));
    encoded.push(rows);
  }
  return encoded;
}

async function ownPromptChecks(
  directory: string,
  backbone: Backbone,
  { hf_prompt: own, image_token_index: imageToken }: GoldenHf,
  tensors: GoldenTensors,
): Promise<StageCheck[]> {
  const { manifest } = backbone.bundle;
  const recorded = await tensors.floats('hf.pixel_values');
  const settings = { ...manifest.image, aspect: 'crop' } as const;
  const checks = await imageChecks(path.join(directory, own.image), settings, recorded, own.image);
  const inputIds = tokenizePrompt(own.prompt, backbone.tokenizer, manifest.tokens);
  const placeholders = inputIds.map((id) => (id === imagePlaceholderId ? imageToken : id));
  const prompt = embedded(backbone, inputIds, await features(backbone, recorded, 1));
  const logits = await tensors.floats('hf.logits');
  return [
    ...checks,
    equality('token ids', sameIntegers(placeholders, own.input_ids_unexpanded)),
    ...(await fullCacheChecks(backbone, prompt, { tokens: own.tokens, logits })),
  ];
}
