import { createCipheriv } from 'node:crypto';

/** Bytes made at once. */
const pieceBytes = 1 << 20;

/**
 * Random bytes, the same ones in every process and never the same ones twice: equal weights would be stored once, and equal
 * pages may be one page of memory.
 */
export class RandomBytes {
  readonly #stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  readonly #zeros = Buffer.alloc(pieceBytes);

  /** The next `count` bytes, in pieces of a whole number of `unit` bytes each. */
  *pieces(count: number, unit = 1): Generator<Buffer> {
    const most = pieceBytes - (pieceBytes % unit);
    for (let left = count; left > 0; left -= most) {
      yield this.#stream.update(this.#zeros.subarray(0, Math.min(left, most)));
    }
  }

  /** `count` numbers between two bounds, in pieces. */
  *floats(count: number, low: number, high: number): Generator<Float32Array> {
    for (const piece of this.pieces(4 * count, 4)) {
      const words = new Uint32Array(piece.length / 4);
      new Uint8Array(words.buffer).set(piece);
      const floats = new Float32Array(words.length);
      const step = (high - low) / 2 ** 32;
      for (let i = 0; i < words.length; i++) floats[i] = low + words[i]! * step;
      yield floats;
    }
  }

  /** `count` numbers between two bounds. */
  array(count: number, low: number, high: number): Float32Array {
    const values = new Float32Array(count);
    let at = 0;
    for (const piece of this.floats(count, low, high)) {
      values.set(piece, at);
      at += piece.length;
    }
    return values;
  }
}
