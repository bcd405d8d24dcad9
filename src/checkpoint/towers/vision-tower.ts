import type { ClipTower } from './clip-weights.js';
import type { InternVitTower } from './internvit-weights.js';

/** A vision tower with sizes and weights: a `T` for each tensor, an `M` for each matrix of a linear layer. */
export type VisionTower<T, M> = ClipTower<T, M> | InternVitTower<T, M>;
