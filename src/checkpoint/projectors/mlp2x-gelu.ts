import type { TensorFinder } from '../tensor-rules.js';

/** Sizes of every kind of projector. */
export interface ProjectorShape {
  /** Width of the vision tower. */
  readonly from: number;
  /** Width of the language model. */
  readonly to: number;
  /** Tokens of an image after projection. */
  readonly tokens: number;
}

/** Two linear layers with an exact GELU between them. */
export interface MlpWeights<T, M> {
  readonly weight1: M;
  readonly bias1: T;
  readonly weight2: M;
  readonly bias2: T;
}

/** LLaVA's `mlp2x_gelu`: each token on its own. */
export interface MlpProjector<T, M> {
  readonly kind: 'mlp2x_gelu';
  readonly shape: ProjectorShape;
  readonly weights: MlpWeights<T, M>;
}

/** What the names of the two linear layers start with. */
export interface MlpNames {
  readonly first: string;
  readonly second: string;
}

/** Finds all tensors of an `mlp2x_gelu` projector. */
export function findMlpProjector<T, M>(
  find: TensorFinder<T, M>,
  names: MlpNames,
  shape: ProjectorShape,
): MlpProjector<T, M> {
  return { kind: 'mlp2x_gelu', shape, weights: findMlp(find, names, shape) };
}

/** Finds the tensors of the two linear layers. */
export function findMlp<T, M>(
  find: TensorFinder<T, M>,
  { first, second }: MlpNames,
  { from, to }: ProjectorShape,
): MlpWeights<T, M> {
  return {
    weight1: find.matrix(`${first}weight`, [to, from]),
    bias1: find.plain(`${first}bias`, [to]),
    weight2: find.matrix(`${second}weight`, [to, to]),
    bias2: find.plain(`${second}bias`, [to]),
  };
}
