/** Kept for reuse at most: enough for every cache of a small model, and nothing beside one layer of a large one. */
const mostRetainedBytes = 256 * 1024 * 1024;

/**
 * Recycles large arrays, of floats or of the same bytes as int8. Fresh ones cost page faults, and every few dozen
 * megabytes of them a full garbage collection; a sample needs the same sizes as the one before. Contents are not cleared.
 */
export class FloatPool {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #retainedBytes = 0;

  /** An array of exactly `length` floats with unspecified contents. */
  take(length: number): Float32Array {
    const bytes = sizeClass(length * Float32Array.BYTES_PER_ELEMENT);
    const buffer = this.#free.get(bytes)?.pop();
    if (buffer === undefined) return new Float32Array(new ArrayBuffer(bytes), 0, length);
    this.#retainedBytes -= bytes;
    return new Float32Array(buffer, 0, length);
  }

  /** An array of exactly `length` bytes with unspecified contents, from the same memory. */
  takeInt8(length: number): Int8Array {
    const floats = this.take(Math.ceil(length / Float32Array.BYTES_PER_ELEMENT));
    return new Int8Array(floats.buffer, 0, length);
  }

  /** Forgets what it keeps for reuse, so that the memory can be freed. */
  clear(): void {
    this.#free.clear();
    this.#retainedBytes = 0;
  }

  /** Takes an array over, from `take` or not, if its size can be used again; it must not be used afterwards. */
  give({ buffer }: Float32Array | Int8Array): void {
    if (!(buffer instanceof ArrayBuffer) || sizeClass(buffer.byteLength) !== buffer.byteLength) return;
    if (this.#retainedBytes + buffer.byteLength > mostRetainedBytes) return;
    const free = this.#free.get(buffer.byteLength);
    if (free === undefined) this.#free.set(buffer.byteLength, [buffer]);
    else free.push(buffer);
    this.#retainedBytes += buffer.byteLength;
  }
}

/** The next of four sizes between one power of two and the next, so that at most a quarter is added. */
function sizeClass(bytes: number): number {
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 2));
  return Math.ceil(bytes / step) * step;
}
