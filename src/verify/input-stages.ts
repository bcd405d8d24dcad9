import path from 'node:path';
import { readImage } from '../backbone/decode-image.js';
import { mergeEmbeddings } from '../backbone/merge-embeddings.js';
import { layOutModalities } from '../backbone/modality-spans.js';
import { fitImage, type ImageSettings, normaliseImage } from '../backbone/preprocess-image.js';
import { renderQuestion } from '../backbone/prompt-template.js';
import { tokenizePrompt } from '../backbone/tokenize-prompt.js';
import type { Backbone } from '../bench/open-backbone.js';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { gridPositions } from '../convert/towers/internvit-positions.js';
import type { Golden } from './backbone-golden.js';
import type { GoldenTensors } from './golden-tensors.js';
import { equality, type StageCheck, stageTally } from './stage-checks.js';
import { largestDifference, type ModeTally, sameIntegers } from './tally.js';

const pixelTolerance = 1e-6;
const visionTolerance = 1e-4;

/** Image processing, vision tower, projector, prompt and embeddings against the recorded ones. */
export async function verifyInputStages(
  directory: string,
  backbone: Backbone,
  golden: Golden,
  tensors: GoldenTensors,
): Promise<ModeTally[]> {
  return [
    stageTally(directory, 'pixels', await pixelChecks(directory, backbone, golden.images, tensors)),
    stageTally(directory, 'vision tower and projector', await visionChecks(directory, backbone, tensors)),
    stageTally(directory, 'prompt and embeddings', await promptChecks(backbone, golden, tensors)),
  ];
}

async function pixelChecks(
  directory: string,
  backbone: Backbone,
  images: readonly string[],
  tensors: GoldenTensors,
): Promise<StageCheck[]> {
  const checks: StageCheck[] = [];
  for (const aspect of ['pad', 'crop'] as const) {
    const settings: ImageSettings = { ...backbone.bundle.manifest.image, aspect };
    const recorded = await tensors.floats(`pixel_values_${aspect}`);
    const size = recorded.length / images.length;
    for (const [index, name] of images.entries()) {
      const expected = recorded.subarray(index * size, (index + 1) * size);
      checks.push(
        ...(await imageChecks(path.join(directory, name), settings, expected, `${aspect}, ${name}`)),
      );
    }
  }
  return checks;
}

/** 8-bit samples must be equal, normalised ones close. */
export async function imageChecks(
  file: string,
  settings: ImageSettings,
  expected: Float32Array,
  what: string,
): Promise<StageCheck[]> {
  const fitted = fitImage(await readImage(file), settings);
  const samples = samplesBefore(expected, settings);
  const error = largestDifference(normaliseImage(fitted, settings), expected);
  return [
    equality(`${what}: samples before normalisation`, sameIntegers(fitted.data, samples)),
    { what: `${what}: pixel values`, error, tolerance: pixelTolerance },
  ];
}

/** Undoes normalisation: [3, S, S] floats -> [S, S, 3] samples. */
function samplesBefore(pixels: Float32Array, { mean, std, rescaleFactor }: ImageSettings): Int32Array {
  const plane = pixels.length / 3;
  const samples = new Int32Array(pixels.length);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < plane; i++) {
      const value = (pixels[channel * plane + i]! * std[channel]! + mean[channel]!) / rescaleFactor;
      samples[i * 3 + channel] = Math.round(value);
    }
  }
  return samples;
}

/** Each recorded image through the tower, from the recorded pixels. */
async function visionChecks(
  directory: string,
  backbone: Backbone,
  tensors: GoldenTensors,
): Promise<StageCheck[]> {
  const pixels = await tensors.floats('pixel_values_pad');
  const tower = await tensors.floats('vision_tower_output');
  const projected = await tensors.floats('projector_output');
  const images = tensors.dims('pixel_values_pad')[0]!;
  const part = (data: Float32Array, image: number): Float32Array =>
    data.subarray((image * data.length) / images, ((image + 1) * data.length) / images);
  const checks = await positionChecks(directory, tensors);
  for (let image = 0; image < images; image++) {
    const stages = await backbone.vision.stages(part(pixels, image));
    const compare = (what: string, actual: Float32Array, expected: Float32Array): void => {
      const error = largestDifference(actual, expected);
      checks.push({ what: `image ${image}: ${what}`, error, tolerance: visionTolerance });
    };
    if (image === 0) {
      compare('embeddings', stages.embeddings, await tensors.floats('vision_embeddings_image0'));
      for (const [name, values] of Object.entries(stages.inProjector)) {
        compare(name, values, await tensors.floats(`${name}_image0`));
      }
    }
    compare('tower', stages.tower, part(tower, image));
    compare('projector', stages.features, part(projected, image));
  }
  return checks;
}

const positionsName = 'vision_position_embedding_interpolated';

/** The position table of the images' grid, where one is recorded. */
async function positionChecks(directory: string, tensors: GoldenTensors): Promise<StageCheck[]> {
  if (!tensors.has(positionsName)) return [];
  const { tower, close } = await openCheckpoint({ path: directory });
  try {
    const positions = tower.kind === 'internvit' ? await gridPositions(tower) : new Float32Array(0);
    const error = largestDifference(positions, await tensors.floats(positionsName));
    return [{ what: 'positions', error, tolerance: visionTolerance }];
  } finally {
    await close();
  }
}

async function promptChecks(
  backbone: Backbone,
  golden: Golden,
  tensors: GoldenTensors,
): Promise<StageCheck[]> {
  const { manifest } = backbone.bundle;
  const prompt = renderQuestion(manifest.prompt, golden.question);
  const inputIds = tokenizePrompt(prompt, backbone.tokenizer, manifest.tokens);
  const layout = layOutModalities(inputIds, { tokensPerImage: manifest.vision.tokensPerImage });
  const spans = layout.spans.map(({ start, length }) => [start, start + length]);
  const recorded = await tensors.floats('inputs_embeds');
  const projected = await tensors.floats('projector_output');
  const imageFeatures = golden.images.map((_, image) =>
    projected.subarray(
      (image * projected.length) / golden.images.length,
      ((image + 1) * projected.length) / golden.images.length,
    ),
  );
  const { hiddenSize } = manifest.text;
  const merged = mergeEmbeddings({
    inputIds,
    imageFeatures,
    hiddenSize,
    readRow: backbone.embeddings.readRow,
  });
  return [
    equality('prompt', prompt === golden.prompt),
    equality('stop strings', manifest.prompt.stopStrings.join('\n') === golden.stop_strings.join('\n')),
    equality('token ids', sameIntegers(inputIds, golden.input_ids)),
    equality('sequence length', layout.length === golden.sequence_length),
    equality('image spans', JSON.stringify(spans) === JSON.stringify(golden.image_spans)),
    { what: 'input embeddings', error: largestDifference(merged, recorded), tolerance: 0 },
  ];
}
