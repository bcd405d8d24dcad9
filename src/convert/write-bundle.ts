import {
  type BundleManifest,
  bundleFormat,
  bundleManifestName,
  bundleManifestSchema,
  type PromptTemplate,
} from '../backbone/bundle-manifest.js';
import { findPromptTemplate } from '../backbone/prompt-template.js';
import type { Model } from '../checkpoint/model.js';
import { writeBundleFile, writeDirectory } from './bundle-writer.js';
import { refuseSmallDisk } from './disk-space.js';
import { summariseLosses } from './storage-loss.js';
import { textBytes, visionBytes, writeVisionWeights } from './stored-weights.js';
import { visionGraph } from './vision-graph.js';
import { type DtypeOptions, weightFormats } from './weight-formats.js';
import type { OnBytes } from './weight-writer.js';
import { writeLanguageModel } from './write-language-model.js';

/** What the user decides about a bundle, wherever its weights come from. */
export interface BundleOptions extends DtypeOptions {
  /** The bundle's directory; an older bundle there is replaced. */
  readonly out: string;
  /** Template for a model without `prompt.json`; LOOK-M's for the family when left out. */
  readonly prompt?: PromptTemplate | undefined;
  /** What happens to images that are not square; what the checkpoint says, else `pad`, when left out. */
  readonly aspect?: 'pad' | 'crop' | undefined;
  /**
   * Positions that a prompt and its answer may take; the checkpoint's when left out. Angles of further positions follow
   * from the same formula, as in published runs that went beyond what a model was made for.
   */
  readonly positions?: number | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
}

/** Bytes read and written so far, and in all. */
export interface ConvertProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Where a model comes from. */
export interface ModelOrigin {
  /** Name of the bundle. */
  readonly name: string;
  /** Bytes that `describe` reads. */
  readonly bytes: number;
  /** What the manifest says of it; `onBytes` hears of what is read. */
  readonly describe: (onBytes: OnBytes) => Promise<BundleManifest['source']>;
}

const fileNames = { vision: 'vision.onnx', visionWeights: 'vision.bin' } as const;

/**
 * Writes a model as a bundle of ONNX graphs with external weights, which appears at `out` when it is complete.
 *
 * @throws UserError for an `out` that is no bundle, and when the disk is too small
 */
export function writeBundle(
  model: Model,
  origin: ModelOrigin,
  options: BundleOptions,
): Promise<BundleManifest> {
  const placed = withPositions(model, options.positions);
  return writeDirectory(options.out, (dir) => fillDirectory(dir, placed, origin, options));
}

function withPositions(model: Model, positions: number | undefined): Model {
  if (positions === undefined) return model;
  const { text } = model;
  return { ...model, text: { ...text, shape: { ...text.shape, maxPositions: positions } } };
}

async function fillDirectory(
  dir: string,
  model: Model,
  origin: ModelOrigin,
  options: BundleOptions,
): Promise<BundleManifest> {
  const { text, tower, projector } = model;
  const formats = weightFormats(options);
  const written = textBytes(text, formats) + visionBytes(model, formats.vision);
  await refuseSmallDisk(dir, options.out, written);
  const onBytes = progressCounter(written + origin.bytes, options.onProgress ?? (() => {}));
  const source = await origin.describe(onBytes);

  const language = await writeLanguageModel(dir, { text, formats, onBytes });
  const image = await writeVisionWeights(dir, fileNames.visionWeights, {
    vision: model,
    format: formats.vision,
    onBytes,
  });
  const sizes = {
    ...tower.shape,
    textSize: text.shape.hiddenSize,
    tokensPerImage: projector.shape.tokens,
  };
  const imageGraphFile = await writeBundleFile(dir, fileNames.vision, visionGraph(sizes, image.tensors));
  const files = [...language.decoderFiles, image.file, imageGraphFile, language.embeddingFile];
  for (const { name, content } of model.tokenizerFiles) {
    files.push(await writeBundleFile(dir, name, content));
  }

  const manifest = bundleManifestSchema.parse({
    ...describeModel(model, options),
    name: origin.name,
    source,
    weights: formats,
    matrices: summariseLosses([...language.losses, ...image.losses]),
    embedding: language.manifest.embedding,
    graphs: { ...language.manifest.graphs, vision: fileNames.vision },
    files,
  } satisfies BundleManifest);
  await writeBundleFile(dir, bundleManifestName, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  return manifest;
}

function describeModel(
  { family, text, tower, projector, image, aspect, tokens, prompt }: Model,
  options: BundleOptions,
): Omit<BundleManifest, 'name' | 'source' | 'weights' | 'matrices' | 'embedding' | 'graphs' | 'files'> {
  const { hiddenSize, imageSize, patchSize, layers, patches } = tower.shape;
  return {
    format: bundleFormat,
    family: family.family,
    text: text.shape,
    vision: {
      tower: tower.kind,
      projector: projector.kind,
      hiddenSize,
      imageSize,
      patchSize,
      layers,
      patches,
      tokensPerImage: projector.shape.tokens,
    },
    image: { aspect: options.aspect ?? aspect ?? 'pad', ...image },
    prompt:
      prompt === undefined
        ? (options.prompt ?? findPromptTemplate(family.template))
        : { name: 'custom', before: prompt.before, after: prompt.after, stopStrings: prompt.stopStrings },
    tokens,
  };
}

function progressCounter(total: number, onProgress: (progress: ConvertProgress) => void): OnBytes {
  let done = 0;
  return (bytes) => {
    done += bytes;
    onProgress({ doneBytes: done, totalBytes: total });
  };
}
