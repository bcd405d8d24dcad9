import type { TensorFinder } from '../tensor-rules.js';
import { findMlp, type MlpWeights, type ProjectorShape } from './mlp2x-gelu.js';

/** Edge of the grid that the tokens of an image are pooled to, whatever the tower's is (MobileVLM projector.py). */
export const ldpGrid = 12;

export interface LdpWeights<T, M> extends MlpWeights<T, M> {
  /** Depthwise 3x3 kernel, [to, 1, 3, 3]. */
  readonly kernel: T;
  readonly kernelBias: T;
}

/** MobileVLM's LDPNetV2: two linear layers, pooling to a grid of 12 x 12, and a depthwise convolution. */
export interface LdpProjector<T, M> {
  readonly kind: 'ldpnetv2';
  readonly shape: ProjectorShape;
  readonly weights: LdpWeights<T, M>;
}

/** Finds all tensors of an LDPNetV2 projector. */
export function findLdpProjector<T, M>(
  find: TensorFinder<T, M>,
  prefix: string,
  { from, to }: { readonly from: number; readonly to: number },
): LdpProjector<T, M> {
  const shape = { from, to, tokens: ldpGrid ** 2 };
  const mlp = { first: `${prefix}mlp.mlp.0.`, second: `${prefix}mlp.mlp.2.` };
  const weights = {
    ...findMlp(find, mlp, shape),
    kernel: find.plain(`${prefix}peg.peg.0.weight`, [to, 1, 3, 3]),
    kernelBias: find.plain(`${prefix}peg.peg.0.bias`, [to]),
  };
  return { kind: 'ldpnetv2', shape, weights };
}
