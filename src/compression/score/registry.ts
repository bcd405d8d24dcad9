import type { Stage } from '../stage.js';
import { columnMean } from './column-mean.js';
import { columnSum } from './column-sum.js';
import { imageRandom } from './image-random.js';
import { keyNorm } from './key-norm.js';
import { randomScore } from './random.js';
import type { Score } from './score.js';
import { sinks } from './sinks.js';
import { visibleMean } from './visible-mean.js';
import { windowScore } from './window.js';

/** Every score by the name that run files use. */
export const scores = Object.freeze({
  'column-sum': columnSum,
  'column-mean': columnMean,
  'visible-mean': visibleMean,
  window: windowScore,
  'key-norm': keyNorm,
  sinks,
  random: randomScore,
  'image-random': imageRandom,
} as const satisfies Record<string, Stage<Score>>);
