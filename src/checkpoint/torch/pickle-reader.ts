import { damaged } from './torch-fault.js';

/** The longest name of a module or attribute that is looked for; real ones are below 60. */
const longestLine = 1024;

/** Reads the arguments of a pickle's opcodes one after another. Throws `UserError` when the bytes end too early. */
export class PickleReader {
  readonly path: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position: number;

  constructor(bytes: Uint8Array, position: number, path: string) {
    this.path = path;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = position;
  }

  /** The byte that is read next. */
  get position(): number {
    return this.#position;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** The one big-endian number of the format. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** A little-endian two's complement number of any length. */
  integer(bytes: number): number | bigint {
    const start = this.#take(bytes);
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!);
    value = BigInt.asIntN(8 * bytes, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(bytes: number, encoding: 'utf8' | 'latin1'): string {
    const start = this.#take(bytes);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, bytes).toString(encoding);
  }

  /** Text up to a line feed, which is passed over. */
  line(): string {
    const end = this.#bytes.subarray(this.#position, this.#position + longestLine).indexOf(0x0a);
    if (end < 0) throw damaged(this.path, `its pickle has an endless name at byte ${this.#position}`);
    const line = this.text(end, 'utf8');
    this.#take(1);
    return line;
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  /** Moves on by `bytes` and returns where they start. */
  #take(bytes: number): number {
    const start = this.#position;
    if (bytes > this.#bytes.length - start) throw damaged(this.path, 'ends inside its pickle');
    this.#position = start + bytes;
    return start;
  }
}
