import type { SourceMatrix, SourcePlain } from '../../checkpoint/find-tensors.js';
import type { Projector } from '../../checkpoint/projectors/projector.js';
import type { GraphBuilder } from '../../onnx/graph-builder.js';
import type { MatrixFormat } from '../../onnx/stored-matrix.js';
import { type Stored, type StoreTensors, storedBytes, type Tensors } from '../weight-writer.js';
import { addLdpProjector } from './ldp-projector.js';
import { addMlpProjector } from './mlp-projector.js';
import type { ProjectorValues, TowerFeatures } from './projector-values.js';

/** Adds a stored projector to a graph. */
export type AddProjector = (builder: GraphBuilder, tower: TowerFeatures) => ProjectorValues;

/** How a projector gets into a bundle. */
export interface ProjectorPlan {
  /** Bytes that `store` writes, not counting the gaps between tensors. */
  bytes(format: MatrixFormat): number;
  store(store: StoreTensors): Promise<AddProjector>;
}

/** The plan of a projector of any kind. */
export function planProjector(projector: Projector<SourcePlain, SourceMatrix>): ProjectorPlan {
  switch (projector.kind) {
    case 'mlp2x_gelu':
      return plan(projector, addMlpProjector);
    case 'ldpnetv2':
      return plan(projector, addLdpProjector);
  }
}

function plan<Shape, Weights extends Tensors<Weights>>(
  { shape, weights }: { readonly shape: Shape; readonly weights: Weights },
  add: (
    builder: GraphBuilder,
    shape: Shape,
    tensors: Stored<Weights>,
    tower: TowerFeatures,
  ) => ProjectorValues,
): ProjectorPlan {
  return {
    bytes: (format) => storedBytes(weights, format),
    async store(store) {
      const tensors = await store(weights);
      return (builder, tower) => add(builder, shape, tensors, tower);
    },
  };
}
