import { basename, resolve } from 'node:path';
import {
  type BundleManifest,
  bundleFormat,
  bundleManifestName,
  bundleManifestSchema,
  type PromptTemplate,
} from '../backbone/bundle-manifest.js';
import { findPromptTemplate } from '../backbone/prompt-template.js';
import { type Checkpoint, openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { hashFiles, totalBytes } from '../checkpoint/source-files.js';
import { writeBundleFile, writeDirectory } from './bundle-writer.js';
import { refuseSmallDisk } from './disk-space.js';
import { summariseLosses } from './storage-loss.js';
import { textBytes, visionBytes, writeVisionWeights } from './stored-weights.js';
import { visionGraph } from './vision-graph.js';
import { type DtypeOptions, weightFormats } from './weight-formats.js';
import { writeLanguageModel } from './write-language-model.js';

export interface ConvertOptions extends DtypeOptions {
  /** Directory of the checkpoint. */
  readonly checkpoint: string;
  /** Directory of the vision tower, where it is a repository of its own and not beside the checkpoint. */
  readonly vision?: string | undefined;
  /** The bundle's directory; an older bundle there is replaced. */
  readonly out: string;
  /** Name of the bundle; the name of the checkpoint's directory when left out. */
  readonly name?: string | undefined;
  /** Template for a checkpoint without `prompt.json`; LOOK-M's for the family when left out. */
  readonly prompt?: PromptTemplate | undefined;
  /** What happens to images that are not square; what the checkpoint says, else `pad`, when left out. */
  readonly aspect?: 'pad' | 'crop' | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
}

/** Bytes read and written so far, and in all. */
export interface ConvertProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

const fileNames = { vision: 'vision.onnx', visionWeights: 'vision.bin' } as const;

/**
 * Turns a checkpoint into a bundle of ONNX graphs with external weights.
 *
 * Tensors are streamed in blocks, so memory does not grow with the model. The bundle depends on the
 * checkpoint's content and the options only: the same input gives the same bytes. It appears at `out` when it
 * is complete.
 *
 * Throws `UserError` for checkpoints that are damaged or not supported (see `openCheckpoint`), for an `out`
 * that is no bundle, and when the disk is too small.
 */
export async function convertCheckpoint(options: ConvertOptions): Promise<BundleManifest> {
  const checkpoint = await openCheckpoint({ path: options.checkpoint, vision: options.vision });
  try {
    return await writeDirectory(options.out, (dir) => writeBundle(checkpoint, dir, options));
  } finally {
    await checkpoint.close();
  }
}

async function writeBundle(
  checkpoint: Checkpoint,
  dir: string,
  options: ConvertOptions,
): Promise<BundleManifest> {
  const { text, tower, projector } = checkpoint;
  const formats = weightFormats(options);
  const written = textBytes(text, formats) + visionBytes(checkpoint, formats.vision);
  await refuseSmallDisk(dir, options.out, written);
  const onBytes = progressCounter(
    written + (await totalBytes(checkpoint.sourceFiles)),
    options.onProgress ?? (() => {}),
  );
  const sources = await hashFiles(checkpoint.sourceFiles, onBytes);

  const language = await writeLanguageModel(dir, { text, formats, onBytes });
  const image = await writeVisionWeights(dir, fileNames.visionWeights, {
    vision: checkpoint,
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
  for (const { name, content } of checkpoint.tokenizerFiles) {
    files.push(await writeBundleFile(dir, name, content));
  }

  const manifest = bundleManifestSchema.parse({
    ...describe(checkpoint, options),
    source: { kind: 'checkpoint', layout: checkpoint.family.layout, files: sources },
    weights: formats,
    matrices: summariseLosses([...language.losses, ...image.losses]),
    embedding: language.manifest.embedding,
    graphs: { ...language.manifest.graphs, vision: fileNames.vision },
    files,
  } satisfies BundleManifest);
  await writeBundleFile(dir, bundleManifestName, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  return manifest;
}

function describe(
  { family, text, tower, projector, image, aspect, tokens, prompt }: Checkpoint,
  options: ConvertOptions,
): Omit<BundleManifest, 'source' | 'weights' | 'matrices' | 'embedding' | 'graphs' | 'files'> {
  const { hiddenSize, imageSize, patchSize, layers, patches } = tower.shape;
  return {
    format: bundleFormat,
    name: options.name ?? basename(resolve(options.checkpoint)),
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

function progressCounter(
  total: number,
  onProgress: (progress: ConvertProgress) => void,
): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    onProgress({ doneBytes: done, totalBytes: total });
  };
}
