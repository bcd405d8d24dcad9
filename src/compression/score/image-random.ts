import { plainStage } from '../stage.js';
import { randomScores } from './random.js';
import { type Score, scoreOf } from './score.js';

const rule: Score = {
  ...scoreOf((layer) => {
    const { statistics, heads, length, modality } = layer;
    const scores = statistics.columnSums(length).slice();
    const drawn = randomScores(layer);
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < length; i++)
        if (modality[i] === 1) scores[head * length + i] = drawn[head * length + i]!;
    }
    return scores;
  }),
  random: true,
};

/** Column sums for text, random numbers for images: with a text prior, only which image tokens stay is random. */
export const imageRandom = plainStage({
  summary: 'column sums for text, random numbers for images',
  version: 1,
  rule,
});
