import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { groupBy } from '../core/group-by.js';
import type { StorageError } from '../onnx/quantise-blocks.js';
import type { MatrixFormat } from '../onnx/stored-matrix.js';

/** What storing one matrix cost. */
export interface StorageLoss {
  /** What the matrix is in the model, such as `layers.q`. */
  readonly part: string;
  /** Its name in the checkpoint. */
  readonly tensor: string;
  readonly dtype: MatrixFormat['dtype'];
  readonly bytes: number;
  readonly error: StorageError;
}

/** Mean and worst relative error of the matrices of each part, as the manifest records them. */
export function summariseLosses(losses: readonly StorageLoss[]): BundleManifest['matrices'] {
  return [...groupBy(losses, ({ part }) => part)].map(([part, group]) => {
    const errors = group.map(({ tensor, error }) => ({ tensor, error: relativeError(error) }));
    return {
      part,
      dtype: group[0]!.dtype,
      count: group.length,
      bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
      meanError: errors.reduce((sum, { error }) => sum + error, 0) / errors.length,
      worst: errors.reduce((worst, each) => (each.error > worst.error ? each : worst)),
    };
  });
}

/** Root mean square of (stored - given), relative to that of what was given; 0 for a matrix of zeros. */
function relativeError({ squaredError, squaredSum }: StorageError): number {
  return squaredSum === 0 ? 0 : Math.sqrt(squaredError / squaredSum);
}
