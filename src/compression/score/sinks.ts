import { z } from 'zod';
import { stage } from '../stage.js';
import { scoreOf } from './score.js';

/** The first positions, then the most recent ones. Source: StreamingLLM (arXiv 2309.17453), four sinks. */
export const sinks = stage({
  summary: 'the first positions, then the most recent ones',
  version: 1,
  options: { count: z.int().nonnegative().default(4) },
  bind: ({ count }) =>
    scoreOf(({ heads, length }) => {
      const scores = new Float32Array(heads * length);
      for (let head = 0; head < heads; head++) {
        for (let i = 0; i < length; i++) scores[head * length + i] = i < count ? length + count - i : i;
      }
      return scores;
    }),
});
