import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTensorFiles } from '../../src/checkpoint/tensor-files.js';
import { blockBytes } from '../../src/checkpoint/tensor-source.js';
import { UserError } from '../../src/core/errors.js';
import { bytesOf } from '../../src/core/tensor.js';
import { scratchDirectory } from './scratch-directory.js';
import { encodeFloats, type RawTensor, rawSafetensors, writeSafetensors } from './write-safetensors.js';

async function fileOf(header: unknown, dataBytes: number, claimedLength?: bigint): Promise<string> {
  const path = join(scratchDirectory(), 'model.safetensors');
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  await writeFile(path, rawSafetensors(text, new Uint8Array(dataBytes), claimedLength));
  return path;
}

const f32 = (shape: unknown, start: unknown, end: unknown) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

/** A value 100,000 levels deep. */
function nested(open: string, close: string, inside = ''): string {
  const levels = 100_000;
  return open.repeat(levels) + inside + close.repeat(levels);
}

test('tensors are listed with type, shape and size', async () => {
  const path = await fileOf(
    { __metadata__: { format: 'pt' }, a: f32([2, 3], 0, 24), b: f32([], 24, 28) },
    28,
  );
  const files = await openTensorFiles([path]);
  const listed = [...files.tensors.values()].map(({ name, dtype, dims, bytes, file }) => ({
    name,
    dtype,
    dims,
    bytes,
    file,
  }));
  await files.close();
  expect(listed).toEqual([
    { name: 'a', dtype: 'F32', dims: [2, 3], bytes: 24, file: 'model.safetensors' },
    { name: 'b', dtype: 'F32', dims: [], bytes: 4, file: 'model.safetensors' },
  ]);
});

test.each(['F32', 'F16', 'BF16'] as const)('%s values are read exactly', async (dtype) => {
  const path = join(scratchDirectory(), 'model.safetensors');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -255, max: 255 }), { maxLength: 40 }), async (steps) => {
      const values = Float32Array.from(steps, (step) => step / 1024);
      const tensor: RawTensor = { dtype, dims: [values.length], data: encodeFloats(values, dtype) };
      await writeSafetensors(
        path,
        new Map<string, RawTensor>([
          ['odd', { dtype: 'U8', dims: [1], data: Uint8Array.of(7) }],
          ['x', tensor],
        ]),
      );
      const files = await openTensorFiles([path]);
      const read = await files.readFloat32('x');
      await files.close();
      expect(read).toEqual(values.map((value) => value + 0));
    }),
    { numRuns: 25 },
  );
});

test('a tensor larger than a block arrives in blocks, whole and in order', async () => {
  const values = Uint32Array.from({ length: blockBytes / 2 + 5 }, (_, i) => i);
  const path = join(scratchDirectory(), 'model.safetensors');
  const data = bytesOf(values);
  await writeSafetensors(path, new Map([['x', { dtype: 'U32', dims: [values.length], data }]]));
  const files = await openTensorFiles([path]);
  const parts: Uint8Array[] = [];
  for await (const block of files.blocks('x')) {
    expect(block.length).toBeLessThanOrEqual(blockBytes);
    parts.push(block.slice());
  }
  const range = await files.readRange('x', 4 * 1000, 4 * 1002);
  await files.close();
  expect(Buffer.concat(parts).equals(data)).toBe(true);
  expect([...new Uint32Array(range.buffer)]).toEqual([1000, 1001]);
});

test('tensors beyond 4 GiB are read by position', async () => {
  const path = join(scratchDirectory(), 'model.safetensors');
  const far = 5 * 2 ** 30;
  const header = JSON.stringify({
    far: f32([2], far, far + 8),
    hole: { dtype: 'U8', shape: [far], data_offsets: [0, far] },
  });
  const start = rawSafetensors(header, new Uint8Array());
  await writeFile(path, start);
  await truncate(path, start.length + far + 8);
  const handle = await open(path, 'r+');
  await handle.write(bytesOf(Float32Array.of(1.5, -2)), 0, 8, start.length + far);
  await handle.close();
  const files = await openTensorFiles([path]);
  const values = await files.readFloat32('far');
  await files.close();
  expect([...values]).toEqual([1.5, -2]);
});

const damaged: { name: string; header: unknown; data: number; claims?: bigint; says: RegExp }[] = [
  {
    name: 'a header of 2^60 bytes',
    header: {},
    data: 0,
    claims: 2n ** 60n,
    says: /header claims 1152921504606846976/,
  },
  {
    name: 'a header of 2^63 bytes',
    header: {},
    data: 0,
    claims: 2n ** 63n,
    says: /header claims 9223372036854775808 bytes, more than the allowed 8388608/,
  },
  {
    name: 'a header of a million tensors',
    header: {},
    data: 0,
    claims: 80_000_000n,
    says: /header claims 80000000 bytes, more than the allowed/,
  },
  { name: 'lists in lists', header: nested('[', ']'), data: 0, says: /header is not a JSON object/ },
  { name: 'lists in lists for a tensor', header: `{"a": ${nested('[', ']')}}`, data: 0, says: /tensor a: / },
  { name: 'objects in objects', header: `${nested('{"a":', '}', '1')}`, data: 0, says: /tensor a: dtype: / },
  {
    name: 'lists in lists for a shape',
    header: `{"a": {"dtype": "F32", "data_offsets": [0, 4], "shape": ${nested('[', ']')}}}`,
    data: 4,
    says: /tensor a: shape: 0: /,
  },
  {
    name: 'a name of 3 MB and a size that is wrong',
    header: { ['n'.repeat(3_000_000)]: f32([1], 0, 8) },
    data: 8,
    says: /tensor n{120}… is F32 \[1\], which is not 8 bytes/,
  },
  {
    name: 'a name of escapes and a size that is wrong',
    header: { ['\n\u001b'.repeat(1_000_000)]: f32([1], 0, 8) },
    data: 8,
    says: /tensor \\u\{a\}\\u\{1b\}/,
  },
  {
    name: 'an element type of 3 MB',
    header: { a: { ...f32([1], 0, 4), dtype: 'F'.repeat(3_000_000) } },
    data: 4,
    says: /tensor a: dtype: is not the name of an element type/,
  },
  {
    name: 'many fields of a tensor',
    header: {
      a: { ...f32([1], 0, 4), ...Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [i, 0])) },
    },
    data: 4,
    says: /tensor a: Unrecognized keys: .{100,110}…;/,
  },
  {
    name: 'a header longer than the file',
    header: {},
    data: 0,
    claims: 99n,
    says: /header claims 99 bytes, but/,
  },
  { name: 'a header that is not JSON', header: '{"a": ', data: 0, says: /header is not JSON/ },
  { name: 'a header that is a list', header: [], data: 0, says: /not a JSON object/ },
  {
    name: 'an entry without a shape',
    header: { a: { dtype: 'F32', data_offsets: [0, 4] } },
    data: 4,
    says: /tensor a: shape/,
  },
  { name: 'a negative size', header: { a: f32([-1], 0, 4) }, data: 4, says: /tensor a: shape/ },
  { name: 'a fractional offset', header: { a: f32([1], 0.5, 4.5) }, data: 4, says: /tensor a: data_offsets/ },
  {
    name: 'an offset past 2^53',
    header: { a: f32([1], 2 ** 60, 2 ** 60 + 4) },
    data: 4,
    says: /tensor a: data_offsets/,
  },
  {
    name: 'a shape of another size',
    header: { a: f32([3], 0, 8) },
    data: 8,
    says: /tensor a is F32 \[3\], which is not 8 bytes/,
  },
  {
    name: 'a shape whose product overflows',
    header: { a: f32([2 ** 50, 2 ** 50], 0, 8) },
    data: 8,
    says: /tensor a is F32/,
  },
  {
    name: 'an end before the start',
    header: { a: f32([1], 4, 0) },
    data: 4,
    says: /tensor a ends before it starts/,
  },
  {
    name: 'overlapping tensors',
    header: { a: f32([2], 0, 8), b: f32([2], 4, 12) },
    data: 12,
    says: /tensor b overlap/,
  },
  {
    name: 'a hole between tensors',
    header: { a: f32([1], 0, 4), b: f32([1], 8, 12) },
    data: 12,
    says: /tensor b leave a hole/,
  },
  {
    name: 'a tensor past the end',
    header: { a: f32([4], 0, 16) },
    data: 12,
    says: /tensor a ends at byte \d+, but the file has only/,
  },
  { name: 'bytes after the last tensor', header: { a: f32([1], 0, 4) }, data: 6, says: /2 bytes at the end/ },
  {
    name: 'a tensor listed twice with room before the colon',
    header: `{"a"${' '.repeat(20)}: ${JSON.stringify(f32([1], 0, 4))}, "a": ${JSON.stringify(f32([1], 0, 4))}}`,
    data: 4,
    says: /tensor a is listed twice/,
  },
  {
    name: 'a tensor listed twice whose name has a quote',
    header: `{"a\\"b": ${JSON.stringify(f32([1], 0, 4))}, "a\\"b": ${JSON.stringify(f32([1], 0, 4))}}`,
    data: 4,
    says: /tensor a"b is listed twice/,
  },
  {
    name: 'a tensor listed twice',
    header: `{"a": ${JSON.stringify(f32([1], 0, 4))}, "\\u0061": ${JSON.stringify(f32([1], 0, 4))}}`,
    data: 4,
    says: /tensor a is listed twice/,
  },
];

test.each(damaged)(
  '$name is refused in one line that names the file',
  async ({ header, data, claims, says }) => {
    const path = await fileOf(header, data, claims);
    const failure = await openTensorFiles([path]).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UserError);
    const { message } = failure as UserError;
    expect(message).toMatch(says);
    expect(message.startsWith(`${path}: `)).toBe(true);
    expect(message).not.toContain('\n');
  },
);

test('names of megabytes are read, whatever is in them', async () => {
  const names = ['n'.repeat(2_000_000), '"\\\\{'.repeat(250_000)];
  const path = await fileOf({ [names[0]!]: f32([1], 0, 4), [names[1]!]: f32([1], 4, 8) }, 8);
  const files = await openTensorFiles([path]);
  expect([...files.tensors.keys()]).toEqual(names);
  await files.close();
});

test('a file cut anywhere is refused', async () => {
  const path = await fileOf({ a: f32([2, 2], 0, 16) }, 16);
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  await handle.close();
  for (let length = size - 1; length >= 0; length -= 3) {
    await truncate(path, length);
    await expect(openTensorFiles([path])).rejects.toThrow(UserError);
  }
});

test('a file that shrinks while it is open is noticed', async () => {
  const path = await fileOf({ a: f32([4], 0, 16) }, 16);
  const files = await openTensorFiles([path]);
  await truncate(path, 40);
  await expect(files.readFloat32('a')).rejects.toThrow('ends inside tensor a');
  await files.close();
});

test('other element types are listed but not read as numbers', async () => {
  const path = await fileOf(
    {
      ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] },
      odd: { dtype: 'F4', shape: [3], data_offsets: [8, 10] },
    },
    10,
  );
  const files = await openTensorFiles([path]);
  expect([...files.tensors.keys()]).toEqual(['ids', 'odd']);
  await expect(files.readFloat32('ids')).rejects.toThrow(
    'tensor ids is I64, only F32, F16, BF16 can be read',
  );
  await expect(files.readFloat32('odd')).rejects.toThrow('tensor odd is F4');
  await files.close();
});

test('a tensor in two shards is refused', async () => {
  const [a, b] = [await fileOf({ x: f32([1], 0, 4) }, 4), join(scratchDirectory(), 'b.safetensors')];
  await writeFile(b, rawSafetensors(JSON.stringify({ x: f32([1], 0, 4) }), new Uint8Array(4)));
  await expect(openTensorFiles([a, b])).rejects.toThrow('tensor x is also in model.safetensors');
});
