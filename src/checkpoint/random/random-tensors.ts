import { sha256 } from '../../core/content-hash.js';
import { invariant } from '../../core/errors.js';
import { narrowFloat16 } from '../../core/half-floats.js';
import { bytesOf, elementCount } from '../../core/tensor.js';
import { blockBytes, type FloatDtype, type TensorSource } from '../tensor-source.js';

/** Element type of every random tensor, as most published checkpoints have it. */
export const randomDtype: FloatDtype = 'F16';

/** What a tensor is filled with: normal numbers around a mean. */
interface Fill {
  readonly mean: number;
  readonly spread: number;
}

/**
 * As models of this kind are initialised: norms are ones and layer scales a tenth, which keeps what passes through any
 * number of layers finite. Norms and scales vary a little, so that no two tensors are equal.
 */
const fills: readonly (readonly [RegExp, Fill])[] = [
  [/norm\w*(\.weight)?$/, { mean: 1, spread: 0.02 }],
  [/\.ls\d$/, { mean: 0.1, spread: 0.002 }],
];
const otherFill: Fill = { mean: 0, spread: 0.02 };

/** Tensors of distinct random numbers, made when they are read: the same for the same seed and name. */
export class RandomTensors implements TensorSource {
  readonly #seed: number;
  readonly #counts = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Makes a tensor known. */
  declare(name: string, dims: readonly number[]): void {
    this.#counts.set(name, elementCount(dims));
  }

  async *blocks(name: string): AsyncGenerator<Uint8Array> {
    const halves = new Uint16Array(blockBytes / Float32Array.BYTES_PER_ELEMENT);
    for await (const floats of this.floatBlocks(name)) {
      const narrow = halves.subarray(0, floats.length);
      narrowFloat16(floats, narrow);
      yield bytesOf(narrow);
    }
  }

  async *floatBlocks(name: string): AsyncGenerator<Float32Array> {
    const count = this.#counts.get(name);
    invariant(count !== undefined, `no random tensor named ${name}`);
    const fill = fills.find(([pattern]) => pattern.test(name))?.[1] ?? otherFill;
    const draw = normalNumbers(Number.parseInt(sha256(`${this.#seed} ${name}`).slice(0, 8), 16), fill);
    const block = new Float32Array(Math.min(count, blockBytes / Float32Array.BYTES_PER_ELEMENT));
    for (let done = 0; done < count; done += block.length) {
      const part = block.subarray(0, Math.min(block.length, count - done));
      draw(part);
      yield part;
    }
  }
}

/** Mean and standard deviation of the sum of four random bytes. */
const byteSum = { mean: 4 * 127.5, spread: Math.sqrt((4 * (256 ** 2 - 1)) / 12) };

/**
 * Fills arrays with numbers that are close to normal, up to 3.5 standard deviations: sums of the four bytes of an
 * xorshift generator's 32 bits.
 */
function normalNumbers(seed: number, { mean, spread }: Fill): (target: Float32Array) => void {
  let state = seed | 0 || 1;
  const scale = spread / byteSum.spread;
  const offset = mean - byteSum.mean * scale;
  return (target) => {
    let bits = state;
    for (let i = 0; i < target.length; i++) {
      bits ^= bits << 13;
      bits ^= bits >>> 17;
      bits ^= bits << 5;
      // Two bytes at a time, then both halves.
      const pairs = (bits & 0xff00ff) + ((bits >>> 8) & 0xff00ff);
      target[i] = ((pairs & 0xffff) + (pairs >>> 16)) * scale + offset;
    }
    state = bits;
  };
}
