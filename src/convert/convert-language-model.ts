import type { BundleManifest } from '../backbone/bundle-manifest.js';
import type { LlavaWeights } from '../checkpoint/checkpoint-parts.js';
import type { LlamaShape } from '../checkpoint/llama-config.js';
import { openLanguageModelCheckpoint } from '../checkpoint/open-language-model.js';
import type { WrittenFile } from '../onnx/external-weights.js';
import { writeBundleFile, writeDirectory } from './bundle-writer.js';
import { refuseSmallDisk } from './disk-space.js';
import { llamaSegment } from './llama-segments.js';
import type { StorageLoss } from './storage-loss.js';
import { textBytes, writeRawTensor, writeTextWeights } from './stored-weights.js';
import { type WeightFormats, weightFormats } from './weight-formats.js';
import type { OnBytes } from './weight-writer.js';

/** What a bundle's manifest says about the language model: all that is needed to run it on embeddings. */
export interface LanguageModelManifest extends Pick<BundleManifest, 'text' | 'embedding'> {
  readonly graphs: Pick<BundleManifest['graphs'], 'segments'>;
}

const fileNames = { weights: 'weights.bin', embedding: 'embedding.bin' } as const;

/**
 * Turns the language model of a checkpoint into segment graphs with external weights and a file of token rows, and
 * leaves everything else of the checkpoint alone. Weights become float32. They appear in the new directory `out` when they are complete.
 *
 * Throws `UserError` for language models that are damaged or not supported (see `openLanguageModelCheckpoint`), for
 * an `out` that is not empty, and when the disk is too small.
 */
export async function convertLanguageModel(options: {
  readonly checkpoint: string;
  readonly out: string;
}): Promise<LanguageModelManifest> {
  const { text: shape, weights, close } = await openLanguageModelCheckpoint(options.checkpoint);
  try {
    return await writeDirectory(options.out, async (dir) => {
      const formats = weightFormats({ dtype: 'fp32' });
      await refuseSmallDisk(dir, options.out, textBytes(weights, shape, formats));
      const { manifest } = await writeLanguageModel(dir, { weights, shape, formats, onBytes: () => {} });
      return manifest;
    });
  } finally {
    await close();
  }
}

/** Writes the files of a language model into a bundle's directory. */
export async function writeLanguageModel(
  dir: string,
  options: {
    weights: LlavaWeights['text'];
    shape: LlamaShape;
    formats: Pick<WeightFormats, 'layers' | 'head'>;
    onBytes: OnBytes;
  },
): Promise<{
  manifest: LanguageModelManifest;
  /** Weights and segments. */
  decoderFiles: WrittenFile[];
  embeddingFile: WrittenFile;
  losses: readonly StorageLoss[];
}> {
  const { weights, shape, onBytes } = options;
  const { embedding } = weights;
  const llama = await writeTextWeights(dir, fileNames.weights, options);
  const decoderFiles = [llama.file];
  const segments: string[] = [];
  for (let segment = 0; segment <= shape.layers; segment++) {
    const name = segmentName(segment);
    decoderFiles.push(await writeBundleFile(dir, name, llamaSegment(shape, llama.tensors, segment)));
    segments.push(name);
  }
  const embeddingFile = await writeRawTensor(dir, fileNames.embedding, { tensor: embedding, onBytes });
  const manifest = {
    text: shape,
    embedding: { file: fileNames.embedding, dtype: embedding.dtype },
    graphs: { segments },
  };
  return { manifest, decoderFiles, embeddingFile, losses: llama.losses };
}

function segmentName(segment: number): string {
  return `segment-${String(segment).padStart(3, '0')}.onnx`;
}
