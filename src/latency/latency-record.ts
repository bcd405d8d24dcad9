import { z } from 'zod';
import { cacheSizeSchema, cellSchema, promptSchema } from '../bench/record.js';
import type { LogKind } from '../bench/record-log.js';
import { deviceSchema, latencyProtocolSchema } from '../config/protocols.js';

/** Bumped when the same run would mean other numbers. */
export const latencyRecordVersion = 1;

/** Milliseconds. */
const milliseconds = z.array(z.number().nonnegative());

/** The steps of a cell in one repeat, from the cache as compression left it. */
const blockSchema = z.strictObject({
  /** Its turn in the repeat, from 0. */
  turn: z.int().nonnegative(),
  /** Steps that are not counted. */
  warmUp: milliseconds,
  /** Every timed step: from a token's embedding to the next token's. */
  steps: milliseconds,
  /** What of each step was inside ONNX Runtime. */
  runtime: milliseconds,
});
export type LatencyBlock = z.infer<typeof blockSchema>;

/** Resident bytes of the process while this cell's cache was the only one loaded. */
const residentSchema = z.strictObject({
  /** Before the cache was loaded. */
  before: z.int().positive(),
  /** The most that was seen after a step. */
  peak: z.int().positive(),
});

const measuredCellSchema = z.strictObject({
  cell: cellSchema,
  /** Of all layers, as if the cell were alone. */
  compress: z.number().nonnegative(),
  cache: z.strictObject({
    nominal: cacheSizeSchema,
    effective: cacheSizeSchema,
    /** After the last step of a repeat: rows in use and their bytes, a value a layer. */
    end: z.strictObject({ rows: z.array(z.int()), bytes: z.array(z.int()) }),
    /** What the buffers have room for then. */
    allocated: z.strictObject({ rows: z.array(z.int()), bytes: z.array(z.int()) }),
    keptSha256: z.array(z.string()),
    outcome: z.string(),
    remarks: z.array(z.string()),
  }),
  resident: residentSchema,
  /** The tokens of a repeat; the same in all of them. */
  tokens: z.array(z.int()),
  /** One a repeat. */
  blocks: z.array(blockSchema).min(1),
  /** The same cache under another name: blocks of the full cache, decoded a second time in every repeat. */
  nullTest: z.array(blockSchema).optional(),
});
export type MeasuredCell = z.infer<typeof measuredCellSchema>;

const pinningSchema = z.discriminatedUnion('kind', [
  /** Logical processors of the threads, the main one first. */
  z.strictObject({ kind: z.literal('pinned'), processors: z.array(z.int().nonnegative()).readonly() }),
  z.strictObject({ kind: z.literal('free'), reason: z.string() }),
]);

export const latencyRecordSchema = z.strictObject({
  version: z.literal(latencyRecordVersion),
  /** Hash of bundle, sample, cells, settings and `version`. */
  key: z.string(),
  backbone: z.string(),
  /** The backbone's weights are random. */
  randomWeights: z.literal(true).optional(),
  task: z.string(),
  column: z.string(),
  sampleId: z.string(),
  prompt: promptSchema,
  protocol: latencyProtocolSchema.extend({
    endOfSequence: z.literal('ignored'),
    /** Cells start one turn later in every repeat; every other repeat goes backwards. */
    order: z.literal('rotated, alternating'),
    attention: z.enum(['portable', 'native']),
    device: deviceSchema,
    threads: z.int().positive(),
    pinning: pinningSchema,
    /** Smallest step of the clock, microseconds. */
    clockStep: z.number().positive(),
  }),
  /** Milliseconds: question, images and vision tower; then the decoder over the whole prompt, compression left out. */
  time: z.strictObject({ input: z.number(), prefill: z.number() }),
  /** Bytes of stored weights that every token passes. */
  weightBytes: z.int().positive(),
  /** Reading memory with as many threads: what reads, and GB/s in every repeat. */
  memoryRead: z.strictObject({ by: z.string(), rates: z.array(z.number().positive()) }),
  /** While cells took turns: shares of the machine's processor time; `null` where the system does not tell. */
  load: z.strictObject({ others: z.number(), stolen: z.number() }).nullable(),
  cells: z.array(measuredCellSchema).min(1),
});

/** What a latency run measured on one sample. */
export type LatencyRecord = z.infer<typeof latencyRecordSchema>;

/** Where a run directory keeps them. */
export const latencyLog: LogKind<LatencyRecord> = Object.freeze({
  file: 'latency.jsonl',
  schema: latencyRecordSchema,
});
