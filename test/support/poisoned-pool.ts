import { FloatPool } from '../../src/core/float-pool.js';

/** A pool whose arrays hold NaN, so that whatever is read before it is written shows. */
export class PoisonedPool extends FloatPool {
  override take(length: number): Float32Array {
    return super.take(length).fill(Number.NaN);
  }
}
