import { openTensorFiles, type TensorFiles } from '../checkpoint/tensor-files.js';
import { UserError } from '../core/errors.js';

/** Recorded tensors of one vector file. */
export class GoldenTensors {
  readonly #files: TensorFiles;
  readonly #path: string;

  private constructor(files: TensorFiles, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** @throws UserError when the file is missing or damaged */
  static async open(path: string): Promise<GoldenTensors> {
    return new GoldenTensors(await openTensorFiles([path]), path);
  }

  has(name: string): boolean {
    return this.#files.tensors.has(name);
  }

  dims(name: string): readonly number[] {
    return this.#entry(name).dims;
  }

  async floats(name: string): Promise<Float32Array> {
    this.#entry(name);
    return this.#files.readFloat32(name);
  }

  /** Integers of type I32, I64 or U8. */
  async integers(name: string): Promise<Int32Array> {
    const { dtype, bytes } = this.#entry(name);
    const raw = await this.#files.readRange(name, 0, bytes);
    const aligned = raw.slice().buffer;
    switch (dtype) {
      case 'I32':
        return new Int32Array(aligned);
      case 'I64':
        return Int32Array.from(new BigInt64Array(aligned), Number);
      case 'U8':
        return Int32Array.from(raw);
      default:
        throw new UserError({ where: `${this.#path}: ${name}`, what: `expected integers, found ${dtype}` });
    }
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  #entry(name: string) {
    const entry = this.#files.tensors.get(name);
    if (entry === undefined) {
      throw new UserError({
        where: this.#path,
        what: `has no tensor ${name}`,
        fix: 'restore the vector file',
      });
    }
    return entry;
  }
}
