import { plainStage } from '../stage.js';
import { scoreOf } from './score.js';

/** Keys of small norm stay (Devoto et al., arXiv 2406.11430): minus the L2 norm. */
export const keyNorm = plainStage({
  summary: 'minus the norm of the key: small keys draw attention',
  version: 1,
  rule: scoreOf(({ keys, heads, headDim, length, capacity }) => {
    const scores = new Float32Array(heads * length);
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < length; i++) {
        let square = 0;
        const from = (head * capacity + i) * headDim;
        for (let d = from; d < from + headDim; d++) square += keys[d]! * keys[d]!;
        scores[head * length + i] = -Math.sqrt(square);
      }
    }
    return scores;
  }),
});
