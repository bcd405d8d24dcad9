/** Pieces of Python pickles, protocol 2, to be put together. Nothing is checked: wrong pickles can be made too. */

export const none = Buffer.from('N');
export const mark = Buffer.from('(');
export const stop = Buffer.from('.');
export const protocol = Buffer.of(0x80, 2);

/** A whole pickle. */
export function pickled(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([protocol, ...parts, stop]);
}

export function text(value: string): Buffer {
  const content = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(content.length);
  return Buffer.concat([Buffer.from('X'), length, content]);
}

/** A number of up to eight bytes. */
export function int(value: number | bigint): Buffer {
  const content = Buffer.alloc(8);
  content.writeBigInt64LE(BigInt(value));
  return Buffer.concat([Buffer.of(0x8a, 8), content]);
}

export function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

export function tuple(...items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([mark, ...items, Buffer.from('t')]);
}

export function ints(values: readonly (number | bigint)[]): Buffer {
  return tuple(...values.map(int));
}

export function list(...items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from(']('), ...items, Buffer.from('e')]);
}

export function dict(items: readonly (readonly [name: string, value: Uint8Array])[]): Buffer {
  const pairs = items.flatMap(([name, value]) => [text(name), value]);
  return Buffer.concat([Buffer.from('}('), ...pairs, Buffer.from('u')]);
}

export function call(callee: Uint8Array, ...args: readonly Uint8Array[]): Buffer {
  return Buffer.concat([callee, tuple(...args), Buffer.from('R')]);
}

/** A reference to something outside the pickle. */
export function persistent(...items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([tuple(...items), Buffer.from('Q')]);
}
