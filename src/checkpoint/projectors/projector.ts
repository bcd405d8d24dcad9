import type { LdpProjector } from './ldpnetv2.js';
import type { MlpProjector } from './mlp2x-gelu.js';

/** A projector with sizes and weights: a `T` for each tensor, an `M` for each matrix of a linear layer. */
export type Projector<T, M> = MlpProjector<T, M> | LdpProjector<T, M>;
