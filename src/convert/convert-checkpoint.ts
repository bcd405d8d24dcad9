import { basename, resolve } from 'node:path';
import {
  type BundleManifest,
  bundleFormat,
  bundleManifestName,
  bundleManifestSchema,
  type PromptTemplate,
} from '../backbone/bundle-manifest.js';
import { type Checkpoint, openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { hashFiles, totalBytes } from '../checkpoint/source-files.js';
import { writeBundleFile, writeDirectory } from './bundle-writer.js';
import { writeLanguageModel } from './convert-language-model.js';
import { refuseSmallDisk } from './disk-space.js';
import { summariseLosses } from './storage-loss.js';
import { textBytes, visionBytes, writeVisionWeights } from './stored-weights.js';
import { visionGraph } from './vision-graph.js';
import { type DtypeOptions, weightFormats } from './weight-formats.js';

export interface ConvertOptions extends DtypeOptions {
  /** Directory of the checkpoint. */
  readonly checkpoint: string;
  /** Directory of the CLIP tower, for the original layout when it is not beside the checkpoint. */
  readonly vision?: string | undefined;
  /** The bundle's directory; an older bundle there is replaced. */
  readonly out: string;
  /** Name of the bundle; the name of the checkpoint's directory when left out. */
  readonly name?: string | undefined;
  /** Template for a checkpoint without `prompt.json`; LOOK-M uses `llava_llama_2` for LLaVA. */
  readonly prompt: PromptTemplate;
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
 * Turns a LLaVA checkpoint into a bundle of ONNX graphs with external weights.
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
  const { text, vision, weights } = checkpoint;
  const formats = weightFormats(options);
  const written = textBytes(weights.text, text, formats) + visionBytes(weights, formats.vision);
  await refuseSmallDisk(dir, options.out, written);
  const onBytes = progressCounter(
    written + (await totalBytes(checkpoint.sourceFiles)),
    options.onProgress ?? (() => {}),
  );
  const sources = await hashFiles(checkpoint.sourceFiles, onBytes);

  const language = await writeLanguageModel(dir, { weights: weights.text, shape: text, formats, onBytes });
  const format = formats.vision;
  const image = await writeVisionWeights(dir, fileNames.visionWeights, { weights, format, onBytes });
  const imageGraph = visionGraph(vision, text.hiddenSize, image.tensors);
  const imageGraphFile = await writeBundleFile(dir, fileNames.vision, imageGraph);
  const files = [...language.decoderFiles, image.file, imageGraphFile, language.embeddingFile];
  for (const { name, content } of checkpoint.tokenizerFiles) {
    files.push(await writeBundleFile(dir, name, content));
  }

  const manifest = bundleManifestSchema.parse({
    ...describe(checkpoint, options),
    source: { kind: 'checkpoint', layout: checkpoint.layout, files: sources },
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
  { text, vision, image, aspect, tokens, prompt }: Checkpoint,
  options: ConvertOptions,
): Omit<BundleManifest, 'source' | 'weights' | 'matrices' | 'embedding' | 'graphs' | 'files'> {
  const { hiddenSize, imageSize, patchSize, layers, tokensPerImage } = vision;
  return {
    format: bundleFormat,
    name: options.name ?? basename(resolve(options.checkpoint)),
    family: 'llava',
    text,
    vision: { hiddenSize, imageSize, patchSize, layers, tokensPerImage },
    image: { aspect: options.aspect ?? aspect ?? 'pad', ...image },
    prompt:
      prompt === undefined
        ? options.prompt
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
