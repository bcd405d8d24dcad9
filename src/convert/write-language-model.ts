import type { BundleManifest } from '../backbone/bundle-manifest.js';
import type { ModelParts } from '../checkpoint/families/family.js';
import type { WrittenFile } from '../onnx/external-weights.js';
import { writeBundleFile } from './bundle-writer.js';
import { llamaSegment } from './llama-segments.js';
import type { StorageLoss } from './storage-loss.js';
import { writeRawTensor, writeTextWeights } from './stored-weights.js';
import type { WeightFormats } from './weight-formats.js';
import type { OnBytes } from './weight-writer.js';

/** What a bundle's manifest says about the language model. */
interface LanguageModelManifest extends Pick<BundleManifest, 'text' | 'embedding'> {
  readonly graphs: Pick<BundleManifest['graphs'], 'segments'>;
}

const fileNames = { weights: 'weights.bin', embedding: 'embedding.bin' } as const;

/** Writes the files of a language model into a bundle's directory. */
export async function writeLanguageModel(
  dir: string,
  options: {
    text: ModelParts['text'];
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
  const { text, onBytes } = options;
  const { shape, weights } = text;
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
