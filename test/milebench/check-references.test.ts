import { expect, test } from 'vitest';
import { findReferenceFaults } from '../../src/milebench/check/check-references.js';

const none = { beyond: [], places: null, misplaced: null };

test.each([
  ['{image#1} and {image#2}', 2, none],
  ['no image', 0, none],
  ['<ImageHere> and {image#2}', 2, none],
  ['{table#1} and {image#1}', 2, none],
  ['{image#2} and {image#1}', 2, { ...none, misplaced: { place: 1, named: 2 } }],
  ['{image#1} and {image#1}', 2, { ...none, misplaced: { place: 2, named: 1 } }],
  ['{image#1}', 2, { ...none, places: 1 }],
  ['{image#1} {image#2} <ImageHere>', 2, { ...none, places: 3 }],
  ['{image#1} {image#2}', 1, { ...none, beyond: ['{image#2}'] }],
  [
    '{image#0} {image#01} {image#x} {image#1}',
    1,
    { ...none, beyond: ['{image#0}', '{image#01}', '{image#x}'] },
  ],
  ['{image#}', 0, { ...none, beyond: ['{image#}'] }],
  ['{Image#1} {image #1}', 0, none],
])('references in %j of a sample with %i images', (text, images, expected) => {
  expect(findReferenceFaults({ text, images })).toEqual(expected);
});
