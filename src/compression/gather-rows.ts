import { asPairs, copyPairs, pairStep } from '../core/float-pairs.js';

/** Rows that follow each other in the source are copied at once from this many on; fewer are faster float by float. */
const longRun = 4;

/** Rows of a head to copy: `target[targetRow + i] = source[sourceRow + positions[i]]`, each of `width` floats. */
interface RowCopy {
  readonly target: Float32Array;
  readonly targetRow: number;
  readonly source: Float32Array;
  readonly sourceRow: number;
  readonly width: number;
  readonly positions: Int32Array;
}

/** Copies rows of a head. */
export function gatherRows(copy: RowCopy): void {
  const { target, source, sourceRow, width, positions } = copy;
  const inSteps = width % pairStep === 0;
  const targetPairs = inSteps ? asPairs(target) : null;
  const sourcePairs = inSteps ? asPairs(source) : null;
  let to = copy.targetRow * width;
  let first = 0;
  while (first < positions.length) {
    let last = first + 1;
    while (last < positions.length && positions[last] === positions[last - 1]! + 1) last++;
    const from = (sourceRow + positions[first]!) * width;
    const floats = (last - first) * width;
    if (targetPairs === null || sourcePairs === null || last - first >= longRun) {
      target.set(source.subarray(from, from + floats), to);
    } else {
      copyPairs(targetPairs, to / 2, sourcePairs, from / 2, floats / 2);
    }
    to += floats;
    first = last;
  }
}
