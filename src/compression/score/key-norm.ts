import { keyNorms } from '../key-norms.js';
import { plainStage } from '../stage.js';
import { scoreOf } from './score.js';

/** Keys of small norm stay (Devoto et al., arXiv 2406.11430): minus the L2 norm. */
export const keyNorm = plainStage({
  summary: 'minus the norm of the key: small keys draw attention',
  version: 1,
  rule: scoreOf((layer) => Float32Array.from(keyNorms(layer), (norm) => -norm)),
});
