import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { RawTensor } from './write-safetensors.js';

const headerSchema = z.record(
  z.string(),
  z.object({ dtype: z.string(), shape: z.array(z.int()), data_offsets: z.tuple([z.int(), z.int()]) }),
);

/** Every tensor of a safetensors file, as its bytes lie in the file. */
export async function rawTensors(path: string): Promise<Map<string, RawTensor>> {
  const content = await readFile(path);
  const start = 8 + Number(content.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = z
    .looseObject({})
    .parse(JSON.parse(content.subarray(8, start).toString()));
  return new Map(
    Object.entries(headerSchema.parse(header)).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { dtype, dims: shape, data: content.subarray(start + from, start + to) }],
    ),
  );
}
