import type { LayerInput } from '../layer-input.js';

/**
 * What a prior says of a position, whatever its score: never kept (also in the recent window), kept by score, kept
 * before those, kept even beyond the budget.
 */
export const tiers = Object.freeze({ never: 0, scored: 1, preferred: 2, always: 3 });

/** The tier of every position: [length]. */
export type Prior = (layer: Pick<LayerInput, 'length' | 'modality'>) => Uint8Array;
