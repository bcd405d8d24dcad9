import type { ModelParts } from '../checkpoint/families/family.js';
import type { SourceTensor } from '../checkpoint/find-tensors.js';
import { elementCount } from '../core/tensor.js';
import type { WrittenFile } from '../onnx/external-weights.js';
import type { LlamaTensors } from './llama-segments.js';
import { planProjector } from './projectors/registry.js';
import { rotaryTable, rotaryTableBytes } from './rotary-tables.js';
import type { StorageLoss } from './storage-loss.js';
import { planTower } from './towers/registry.js';
import type { StoredVision } from './vision-graph.js';
import type { WeightFormats } from './weight-formats.js';
import { type OnBytes, storedBytes, WeightWriter } from './weight-writer.js';

type VisionParts = Pick<ModelParts, 'tower' | 'projector'>;

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
    text: ModelParts['text'];
    formats: Pick<WeightFormats, 'layers' | 'head'>;
    onBytes: OnBytes;
  },
): Promise<WrittenTensors<LlamaTensors>> {
  const { text, formats, onBytes } = options;
  const { weights, shape } = text;
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
  options: { vision: VisionParts; format: WeightFormats['vision']; onBytes: OnBytes },
): Promise<WrittenTensors<StoredVision>> {
  const { vision, format, onBytes } = options;
  const [tower, projector] = [planTower(vision.tower), planProjector(vision.projector)];
  return WeightWriter.write(dir, { name, onBytes }, async (writer) => ({
    addTower: await tower.store((tensors) => writer.addAll(tensors, { part: 'vision', format })),
    addProjector: await projector.store((tensors) => writer.addAll(tensors, { part: 'projector', format })),
  }));
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
  { weights: { embedding, layers, norm, head }, shape }: ModelParts['text'],
  formats: Pick<WeightFormats, 'layers' | 'head'>,
): number {
  const decoder = layers.reduce((bytes, layer) => bytes + storedBytes(layer, formats.layers), 0);
  const rows = elementCount(embedding.dims) * (embedding.dtype === 'F32' ? 4 : 2);
  return decoder + storedBytes({ norm, head }, formats.head) + 2 * rotaryTableBytes(shape) + rows;
}

/** The same for tower and projector. */
export function visionBytes({ tower, projector }: VisionParts, format: WeightFormats['vision']): number {
  return planTower(tower).bytes(format) + planProjector(projector).bytes(format);
}
