import { expect, test } from 'vitest';
import { quantityLevel } from '../../src/milebench/quantity-level.js';

test.each([
  [0, 'Few'],
  [5, 'Few'],
  [6, 'Medium'],
  [31, 'Medium'],
  [32, 'Many'],
  [109, 'Many'],
])('%i images are %s', (images, level) => {
  expect(quantityLevel(images)).toBe(level);
});
