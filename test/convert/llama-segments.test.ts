import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import {
  type SyntheticShape,
  syntheticCheckpoint,
  writeCheckpoint,
} from '../checkpoint/synthetic-checkpoint.js';
import { anyPrompt, floats, maxDifference, openGraph, runSegments } from './bundle-sessions.js';
import { referencePrefill } from './reference-llama.js';

const shapes: { name: string; shape: Partial<SyntheticShape>; ropeTheta?: number }[] = [
  { name: 'heads of 16', shape: { heads: 2, kvHeads: 2, headDim: 16, hidden: 32 } },
  { name: 'heads of 32', shape: { heads: 2, kvHeads: 2, headDim: 32, hidden: 64 } },
  { name: 'heads of 80', shape: { heads: 2, kvHeads: 2, headDim: 80, hidden: 160 } },
  { name: 'heads of 128', shape: { heads: 1, kvHeads: 1, headDim: 128, hidden: 128 } },
  { name: 'keys shared by groups of two heads', shape: { heads: 4, kvHeads: 2 } },
  { name: 'keys shared by all heads', shape: { heads: 4, kvHeads: 1 } },
  { name: 'heads wider together than the model', shape: { heads: 4, kvHeads: 2, headDim: 10, hidden: 24 } },
  { name: 'another base of the rotary angles', shape: {}, ropeTheta: 500000 },
];

test.each(shapes)('segments equal a float64 Llama: $name', async ({ shape, ropeTheta }) => {
  const length = 9;
  const scratch = scratchDirectory();
  const checkpoint = syntheticCheckpoint(shape);
  if (ropeTheta !== undefined) checkpoint.config.text_config['rope_theta'] = ropeTheta;
  const dir = join(scratch, 'bundle');
  const manifest = await convertCheckpoint({
    checkpoint: await writeCheckpoint(join(scratch, 'checkpoint'), checkpoint),
    out: dir,
    dtype: 'fp32',
    prompt: anyPrompt,
  });
  const random = seededRandom(2);
  const { hidden, kvHeads, headDim } = checkpoint.shape;
  const embeddings = Float32Array.from({ length: length * hidden }, () => random() - 0.5);
  const rows = Array.from({ length }, (_, t) =>
    Float64Array.from(embeddings.subarray(t * hidden, (t + 1) * hidden)),
  );

  const expected = referencePrefill(checkpoint, rows);
  const prefill = await runSegments(dir, manifest, embeddings);

  const headMajor = (tokens: readonly Float64Array[]): number[] =>
    Array.from({ length: kvHeads }, (_, head) =>
      tokens.flatMap((row) => [...row.subarray(head * headDim, (head + 1) * headDim)]),
    ).flat();
  for (const layer of expected.keys.keys()) {
    const largest = Math.max(1, ...expected.keys[layer]!.flatMap((row) => [...row].map(Math.abs)));
    expect(maxDifference(prefill.keys[layer]!, headMajor(expected.keys[layer]!)) / largest).toBeLessThan(
      1e-5,
    );
    expect(maxDifference(prefill.values[layer]!, headMajor(expected.values[layer]!)) / largest).toBeLessThan(
      1e-5,
    );
  }
  const largest = Math.max(1, ...expected.logits.map(Math.abs));
  expect(maxDifference(prefill.logits, expected.logits) / largest).toBeLessThan(1e-5);
});

test('a segment rotates by the positions it is given, not by the place in the chunk', async () => {
  const scratch = scratchDirectory();
  const checkpoint = syntheticCheckpoint();
  const dir = join(scratch, 'bundle');
  const { graphs } = await convertCheckpoint({
    checkpoint: await writeCheckpoint(join(scratch, 'checkpoint'), checkpoint),
    out: dir,
    dtype: 'fp32',
    prompt: anyPrompt,
  });
  const { hidden, heads, headDim } = checkpoint.shape;
  const random = seededRandom(3);
  const data = Float32Array.from({ length: 6 * hidden }, () => random() - 0.5);
  const session = await openGraph(join(dir, graphs.segments[0]!));
  const keys = async (start: number, end: number): Promise<Float32Array> => {
    const positions = BigInt64Array.from({ length: end - start }, (_, i) => BigInt(start + i));
    const outputs = await session.run({
      hidden: new Tensor('float32', data.slice(start * hidden, end * hidden), [1, end - start, hidden]),
      positions: new Tensor('int64', positions, [1, end - start]),
    });
    return floats(outputs, 'k');
  };
  const whole = await keys(0, 6);
  const tail = await keys(4, 6);
  await session.release();
  expect(maxDifference(tail, whole.subarray(4 * heads * headDim))).toBeLessThan(1e-6);
});
