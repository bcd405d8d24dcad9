import type { SourceMatrix, SourcePlain } from '../../checkpoint/find-tensors.js';
import type { InternVitTower } from '../../checkpoint/towers/internvit-weights.js';
import { bytesOf, elementCount } from '../../core/tensor.js';
import { interpolatePositions } from './interpolate-positions.js';

type SourceTower = InternVitTower<SourcePlain, SourceMatrix>;

/**
 * The position table of a tower for the grid of its images, [1 + T, C]; small enough to be held in memory.
 *
 * @throws UserError when the stored table cannot be read
 */
export async function gridPositions({ shape, weights }: SourceTower): Promise<Float32Array> {
  const { source, name, dims } = weights.embedding.positions;
  const table = new Float32Array(elementCount(dims));
  let done = 0;
  for await (const block of source.floatBlocks(name)) {
    table.set(block, done);
    done += block.length;
  }
  return interpolatePositions(table, { from: shape.trainedGrid, to: Math.sqrt(shape.patches) });
}

/** The tower with the position table of its images' grid in place of the stored one. */
export function withGridPositions(tower: SourceTower): SourceTower {
  const { shape, weights } = tower;
  const positions: SourcePlain = {
    ...weights.embedding.positions,
    dtype: 'F32',
    dims: [1, 1 + shape.patches, shape.hiddenSize],
    source: {
      async *floatBlocks() {
        yield await gridPositions(tower);
      },
      async *blocks() {
        yield bytesOf(await gridPositions(tower));
      },
    },
  };
  return { ...tower, weights: { ...weights, embedding: { ...weights.embedding, positions } } };
}
