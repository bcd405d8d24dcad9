import { seededRandom } from '../../core/seeded-random.js';
import type { LayerInput } from '../layer-input.js';
import { plainStage } from '../stage.js';
import { type Score, scoreOf } from './score.js';

/**
 * [heads, length] uniform numbers in [0, 1). They depend on seed, layer, head and position alone, so a smaller budget
 * keeps a part of what a larger one keeps.
 */
export function randomScores({ heads, length, layer, seed }: LayerInput): Float32Array {
  const scores = new Float32Array(heads * length);
  for (let head = 0; head < heads; head++) {
    const random = seededRandom(mixed(seed, layer, head));
    for (let i = 0; i < length; i++) scores[head * length + i] = random();
  }
  return scores;
}

/** One 32-bit seed of three numbers. */
function mixed(...parts: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) hash = Math.imul(hash ^ part, 0x01000193) ^ (hash >>> 15);
  return hash >>> 0;
}

const rule: Score = { ...scoreOf(randomScores), random: true };

/** Scores drawn at random. */
export const randomScore = plainStage({
  summary: 'drawn at random with the seed of the run',
  version: 1,
  rule,
});
