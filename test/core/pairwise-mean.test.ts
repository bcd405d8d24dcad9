import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pairwiseMean } from '../../src/core/pairwise-mean.js';

/** numpy.mean of [1/1, 1/2, …, 1/n], recorded from numpy 2.4.6. */
const harmonicMeans: readonly (readonly [number, number])[] = [
  [1, 1.0],
  [2, 0.75],
  [7, 0.37040816326530607],
  [8, 0.3397321428571428],
  [9, 0.31432980599647264],
  [15, 0.22121526621526624],
  [16, 0.2112955620768121],
  [17, 0.20232661897886814],
  [127, 0.04271917002038718],
  [128, 0.04244646166085291],
  [129, 0.042177511864912164],
  [136, 0.04039369496890821],
  [255, 0.02400172044242071],
  [256, 0.023923222511005003],
  [257, 0.023845276316735168],
  [1000, 0.007485470860550345],
  [5000, 0.0018189017705968872],
];

describe('the pairwise mean', () => {
  test.each(harmonicMeans)('of the first %i harmonic terms is numpy’s to the bit', (count, mean) => {
    const terms = Float64Array.from({ length: count }, (_, i) => 1 / (i + 1));
    expect(pairwiseMean(terms)).toBe(mean);
  });

  test('differs from a left-to-right mean where numpy’s does', () => {
    const terms = Array.from({ length: 1000 }, (_, i) => 1 / (i + 1));
    const leftToRight = terms.reduce((sum, term) => sum + term, 0) / terms.length;
    expect(pairwiseMean(terms)).not.toBe(leftToRight);
  });

  test('of no values is NaN', () => {
    expect(pairwiseMean([])).toBeNaN();
  });

  test('of zeros and ones is the exact share of ones', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 600 }), (scores) => {
        const ones = scores.filter((score) => score === 1).length;
        expect(pairwiseMean(scores)).toBe(ones / scores.length);
      }),
    );
  });
});
