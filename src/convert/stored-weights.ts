import type { LlavaWeights, SourceTensor } from '../checkpoint/checkpoint-parts.js';
import type { LlamaShape } from '../checkpoint/llama-config.js';
import { elementCount } from '../core/tensor.js';
import type { WrittenFile } from '../onnx/external-weights.js';
import type { LlamaTensors } from './llama-segments.js';
import { rotaryTable, rotaryTableBytes } from './rotary-tables.js';
import type { StorageLoss } from './storage-loss.js';
import type { VisionTensors } from './vision-graph.js';
import type { WeightFormats } from './weight-formats.js';
import { type OnBytes, storedBytes, WeightWriter } from './weight-writer.js';

/** Tensors in a weight file, with what storing them cost. */
interface WrittenTensors<Tensors> {
  readonly tensors: Tensors;
  readonly file: WrittenFile;
  readonly losses: readonly StorageLoss[];
}

/** Writes the language model's weights, except the token rows, with the rotary tables. */
export function writeTextWeights(
  dir: string,
  name: string,
  options: {
    weights: LlavaWeights['text'];
    shape: LlamaShape;
    formats: Pick<WeightFormats, 'layers' | 'head'>;
    onBytes: OnBytes;
  },
): Promise<WrittenTensors<LlamaTensors>> {
  const { weights, shape, formats, onBytes } = options;
  return WeightWriter.write(dir, { name, onBytes }, async (writer) => {
    const layers: LlamaTensors['layers'][number][] = [];
    for (const layer of weights.layers) {
      layers.push(await writer.addAll(layer, { part: 'layers', format: formats.layers }));
    }
    const ends = { norm: weights.norm, head: weights.head };
    const { norm, head } = await writer.addAll(ends, { part: 'text', format: formats.head });
    const cos = await writer.add(rotaryTable(shape, Math.cos));
    const sin = await writer.add(rotaryTable(shape, Math.sin));
    return { layers, norm, head, cos, sin };
  });
}

/** Writes the weights of tower and projector. */
export function writeVisionWeights(
  dir: string,
  name: string,
  options: {
    weights: Pick<LlavaWeights, 'tower' | 'projector'>;
    format: WeightFormats['vision'];
    onBytes: OnBytes;
  },
): Promise<WrittenTensors<VisionTensors>> {
  const { weights, format, onBytes } = options;
  return WeightWriter.write(dir, { name, onBytes }, async (writer) => {
    const embedding = await writer.addAll(weights.tower.embedding, { part: 'vision', format });
    const layers: VisionTensors['tower']['layers'][number][] = [];
    for (const layer of weights.tower.layers) {
      layers.push(await writer.addAll(layer, { part: 'vision', format }));
    }
    const projector = await writer.addAll(weights.projector, { part: 'projector', format });
    return { tower: { embedding, layers }, projector };
  });
}

/** Copies a tensor's bytes to a file of its own. */
export async function writeRawTensor(
  dir: string,
  name: string,
  { tensor, onBytes }: { tensor: SourceTensor; onBytes: OnBytes },
): Promise<WrittenFile> {
  const { file } = await WeightWriter.write(dir, { name, onBytes }, (writer) =>
    writer.add(tensor.source.blocks(tensor.name)),
  );
  return file;
}

/** Bytes the functions above write for a language model, not counting the gaps between tensors. */
export function textBytes(
  { embedding, layers, norm, head }: LlavaWeights['text'],
  shape: LlamaShape,
  formats: Pick<WeightFormats, 'layers' | 'head'>,
): number {
  const decoder = layers.reduce((bytes, layer) => bytes + storedBytes(layer, formats.layers), 0);
  const rows = elementCount(embedding.dims) * (embedding.dtype === 'F32' ? 4 : 2);
  return decoder + storedBytes({ norm, head }, formats.head) + 2 * rotaryTableBytes(shape) + rows;
}

/** The same for tower and projector. */
export function visionBytes(
  { tower, projector }: Pick<LlavaWeights, 'tower' | 'projector'>,
  format: WeightFormats['vision'],
): number {
  return [tower.embedding, ...tower.layers, projector].reduce(
    (bytes, tensors) => bytes + storedBytes(tensors, format),
    0,
  );
}
