import type { SyntheticCheckpoint } from '../checkpoint/synthetic-checkpoint.js';
import { referenceClip } from '../support/reference/clip.js';
import { referenceMlp } from '../support/reference/projectors.js';
import { flat, type RoundOperand } from '../support/reference/rows.js';

/** The CLIP tower of a made-up checkpoint up to hidden state `state` and the projector, in float64. */
export function referenceVision(
  { shape, weights }: SyntheticCheckpoint,
  pixels: Float32Array,
  { state, activation }: { state: number; activation: 'gelu' | 'quick_gelu' },
  round?: RoundOperand,
): { tower: number[]; features: number[] } {
  const reference = { weight: (name: string) => weights.get(name)!.values, round };
  const { towerWidth: width, towerHeads: heads, imageSize, patchSize } = shape;
  const sizes = { width, heads, imageSize, patchSize, eps: 1e-5, state, activation };
  const { features: tower } = referenceClip(reference, 'model.vision_tower.vision_model.', pixels, sizes);
  const projector = 'model.multi_modal_projector.linear_';
  const features = referenceMlp(reference, { first: `${projector}1`, second: `${projector}2` }, tower);
  return { tower: flat(tower), features: flat(features) };
}
