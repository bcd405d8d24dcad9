import type { SourceMatrix, SourcePlain } from '../../checkpoint/find-tensors.js';
import type { VisionTower } from '../../checkpoint/towers/vision-tower.js';
import type { GraphBuilder } from '../../onnx/graph-builder.js';
import type { MatrixFormat } from '../../onnx/stored-matrix.js';
import { type Stored, type StoreTensors, storedBytes, type Tensors } from '../weight-writer.js';
import { addClipTower } from './clip-tower.js';
import { withGridPositions } from './internvit-positions.js';
import { addInternVitTower } from './internvit-tower.js';
import type { TowerValues } from './tower-values.js';

/** Adds a stored tower to a graph, from pixels [1, 3, S, S] on. */
export type AddTower = (builder: GraphBuilder, pixels: string) => TowerValues;

/** How a tower gets into a bundle. */
export interface TowerPlan {
  /** Bytes that `store` writes, not counting the gaps between tensors. */
  bytes(format: MatrixFormat): number;
  store(store: StoreTensors): Promise<AddTower>;
}

/** The plan of a tower of any kind. */
export function planTower(tower: VisionTower<SourcePlain, SourceMatrix>): TowerPlan {
  switch (tower.kind) {
    case 'clip':
      return plan(tower, addClipTower);
    case 'internvit':
      return plan(withGridPositions(tower), addInternVitTower);
  }
}

/** What all kinds have in common: tensors before the layers, and layers of equal make. */
interface LayeredWeights<Embedding, Layer> {
  readonly embedding: Embedding;
  readonly layers: readonly Layer[];
}

function plan<Shape, Embedding extends Tensors<Embedding>, Layer extends Tensors<Layer>>(
  { shape, weights }: { readonly shape: Shape; readonly weights: LayeredWeights<Embedding, Layer> },
  add: (
    builder: GraphBuilder,
    shape: Shape,
    tensors: LayeredWeights<Stored<Embedding>, Stored<Layer>>,
    pixels: string,
  ) => TowerValues,
): TowerPlan {
  return {
    bytes: (format) =>
      weights.layers.reduce(
        (bytes, layer) => bytes + storedBytes(layer, format),
        storedBytes(weights.embedding, format),
      ),
    async store(store) {
      const embedding = await store(weights.embedding);
      const layers: Stored<Layer>[] = [];
      for (const layer of weights.layers) layers.push(await store(layer));
      return (builder, pixels) => add(builder, shape, { embedding, layers }, pixels);
    },
  };
}
