import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelArithmetic } from '../../src/compression/quantise/quantise.js';
import { RandomBytes } from '../../src/core/random-bytes.js';
import { openChannelArithmetic } from '../../src/engine/channel-arithmetic.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { referenceChannels } from '../support/channel-arithmetic.js';
import { openRuntime, sessionKinds } from '../support/runtimes.js';

describe.each(sessionKinds)('arithmetic on channels with %s sessions', (kind) => {
  let runtime: Runtime;
  let channels: ChannelArithmetic;
  beforeAll(async () => {
    runtime = await openRuntime(kind, 2);
    channels = await openChannelArithmetic(runtime);
  });
  afterAll(() => runtime.close());

  const random = new RandomBytes();
  const shapes = [
    { heads: 3, headDim: 8, rows: 50, capacity: 64 },
    { heads: 2, headDim: 5, rows: 1, capacity: 3 },
    { heads: 1, headDim: 128, rows: 300, capacity: 300 },
    { heads: 2, headDim: 4, rows: 0, capacity: 2 },
  ];

  it.each(shapes)('gives what is computed number by number: %o', async (shape) => {
    const { heads, headDim, capacity } = shape;
    const rows = { ...shape, data: random.array(heads * capacity * headDim, -3, 3) };
    expect(await channels.largest(rows)).toEqual(await referenceChannels.largest(rows));
    const inverse = random.array(heads * headDim, 1, 60);
    const [own, expected] = [0, 0].map(() => new Int8Array(heads * capacity * headDim).fill(5));
    await channels.toInt8(rows, inverse, own!);
    await referenceChannels.toInt8(rows, inverse, expected!);
    expect(own).toEqual(expected);
  });

  it('rounds half to even and cuts off where int8 ends', async () => {
    const data = Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5, 126.5, 127.5, 300, -128.5, -300);
    const rows = { heads: 1, headDim: 1, rows: data.length, capacity: data.length, data };
    const integers = new Int8Array(data.length);
    await channels.toInt8(rows, Float32Array.of(1), integers);
    expect([...integers]).toEqual([0, 2, 2, 0, -2, 126, 127, 127, -128, -128]);
  });
});
