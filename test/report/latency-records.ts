import type { Cell } from '../../src/bench/record.js';
import {
  type LatencyRecord,
  latencyRecordVersion,
  type MeasuredCell,
} from '../../src/latency/latency-record.js';

/** Bytes of a row of each of the two layers. */
export const rowBytes = 1000;

/** What was measured of a cell, from the steps of its repeats. 2 layers, 1 step of warm-up. */
export function measured(fields: {
  readonly cell: Cell;
  /** [repeat][step]: milliseconds. */
  readonly blocks: readonly (readonly number[])[];
  /** What of every step was outside ONNX Runtime. */
  readonly outside?: number;
  readonly nullTest?: readonly (readonly number[])[];
  /** Right after compression, in each layer. */
  readonly rows?: number;
  readonly resident?: MeasuredCell['resident'];
  readonly compress?: number;
}): MeasuredCell {
  const { cell, rows = 100, outside = 0, compress = 5 } = fields;
  const steps = fields.blocks[0]!.length;
  const size = (count: number) => ({ rows: [count, count], bytes: [count * rowBytes, count * rowBytes] });
  const ratio = { ratio: [rows / 100, rows / 100] };
  const blocksOf = (blocks: readonly (readonly number[])[]) =>
    blocks.map((block, turn) => ({
      turn,
      warmUp: [99],
      steps: [...block],
      runtime: block.map((step) => step - outside),
    }));
  return {
    cell,
    compress,
    cache: {
      nominal: { ...size(rows), ...ratio },
      effective: { ...size(rows), ...ratio },
      end: size(rows + 1 + steps),
      allocated: size(128),
      keptSha256: ['', ''],
      outcome: 'compressed',
      remarks: [],
    },
    resident: fields.resident ?? { before: 2 ** 30, peak: 2 ** 30 + 2 * rows * rowBytes },
    tokens: [],
    blocks: blocksOf(fields.blocks),
    ...(fields.nullTest === undefined ? {} : { nullTest: blocksOf(fields.nullTest) }),
  };
}

/** A record of one sample; all its cells have the same number of repeats and steps. */
export function latencyRecord(
  cells: readonly MeasuredCell[],
  fields: {
    readonly sampleId?: string;
    readonly rates?: readonly number[];
    readonly prefill?: number;
    readonly load?: LatencyRecord['load'];
    readonly random?: boolean;
    readonly pinning?: LatencyRecord['protocol']['pinning'];
  } = {},
): LatencyRecord {
  const { blocks } = cells[0]!;
  const { sampleId = '1', prefill = 300, load = { others: 0.012, stolen: 0.001 } } = fields;
  return {
    version: latencyRecordVersion,
    key: sampleId,
    backbone: 'tiny',
    ...(fields.random ? { randomWeights: true } : {}),
    task: 'PictureNumbers',
    column: 'S-2',
    sampleId,
    prompt: { tokens: 100, textTokens: 19, images: 1, sha256: '', pixelsSha256: '' },
    protocol: {
      ...{ steps: blocks[0]!.steps.length, warmUp: 1, repeats: blocks.length, nullTest: true },
      ...{ endOfSequence: 'ignored', order: 'rotated, alternating', attention: 'native', device: 'cpu' },
      threads: 2,
      pinning: fields.pinning ?? { kind: 'pinned', processors: [0, 1] },
      clockStep: 0.05,
    },
    time: { input: 10, prefill },
    weightBytes: 800_000,
    memoryRead: { by: 'memcmp', rates: [...(fields.rates ?? blocks.map(() => 10))] },
    load,
    cells: [...cells],
  };
}
