import { z } from 'zod';
import { type FirstToken, firstTokenSchema, type Semantics, semanticsSchema } from '../config/protocols.js';
import { budgetSchema } from '../core/budget.js';
import { quantityLevels } from '../milebench/quantity-level.js';
import type { LogKind } from './record-log.js';

/** Bumped when the same inputs would give other numbers. */
export const recordVersion = 3;

export { type FirstToken, firstTokenSchema, type Semantics, semanticsSchema };

/** One column of the grid: a method in one of its semantics under a budget and a first-token protocol. */
export const cellSchema = z.strictObject({
  method: z.string(),
  semantics: semanticsSchema,
  /** `null` for the full cache. */
  budget: budgetSchema.nullable(),
  firstToken: firstTokenSchema,
});
export type Cell = z.infer<typeof cellSchema>;

const answerScoreSchema = z.strictObject({
  /** In [0, 1]. */
  score: z.number(),
  /** The label the scorer read out of the answer, where the metric extracts one. */
  extracted: z.string().nullable(),
  /** What the official script stops with at this answer; the score is 0 then. */
  aborts: z.string().optional(),
});

/** Size of a compressed cache, a value a layer. */
export const cacheSizeSchema = z.strictObject({
  /** The same for every head of a layer. */
  rows: z.array(z.int()),
  /** K and V. */
  bytes: z.array(z.int()),
  /** Rows over prompt tokens. */
  ratio: z.array(z.number()),
});

/** A prompt in numbers. */
export const promptSchema = z.strictObject({
  tokens: z.int(),
  textTokens: z.int(),
  images: z.int(),
  /** Of the token ids, and of the pixels of all images. */
  sha256: z.string(),
  pixelsSha256: z.string(),
});
export type PromptRecord = z.infer<typeof promptSchema>;

export const sampleRecordSchema = z.strictObject({
  version: z.literal(recordVersion),
  /** Hash of bundle, sample, cell, generation settings and `version`. */
  key: z.string(),
  backbone: z.string(),
  /** The backbone's weights are random: the scores mean nothing and are not reported. */
  randomWeights: z.literal(true).optional(),
  task: z.string(),
  column: z.string(),
  metric: z.string(),
  sampleId: z.string(),
  /** By the images of the annotation, before truncation. */
  quantityLevel: z.enum(quantityLevels),
  cell: cellSchema,
  answer: z.string(),
  tokens: z.array(z.int()),
  /** The reference answer, kept so that scores can be computed again. */
  response: z.string(),
  choices: z.array(z.string()).nullable(),
  /** By scoring semantics; computed again from answer, response and choices by `lookm score`. */
  scores: z.strictObject({ release: answerScoreSchema, fixed: answerScoreSchema }),
  prompt: promptSchema,
  cache: z.strictObject({
    /** What the budget allows in each layer for this prompt: rows, bytes of K and V, rows over prompt tokens. */
    nominal: cacheSizeSchema,
    /** What the method kept in each layer, right after compression. */
    effective: cacheSizeSchema,
    /** Live K and V bytes of all layers after the last decode step. */
    bytesEnd: z.int(),
    /** Hash of the kept indices per layer. */
    keptSha256: z.array(z.string()),
    /** What happened: compressed, or why not. */
    outcome: z.string(),
    /** What the reader must know of this cell's semantics on this prompt, e.g. where the published code crashes. */
    remarks: z.array(z.string()),
  }),
  /** Milliseconds. `prefill` is shared by all cells of the sample. */
  time: z.strictObject({
    prefill: z.number(),
    compress: z.number(),
    decode: z.number(),
    /** One entry a decode step; none where cells decode together, in steps that are nobody's own. */
    steps: z.array(z.number()),
    /** Cells with identical caches decode once; the steps are those of the one decode. */
    sharedDecode: z.literal(true).optional(),
  }),
});
export type SampleRecord = z.infer<typeof sampleRecordSchema>;

/** Where a run directory keeps them. */
export const sampleLog: LogKind<SampleRecord> = Object.freeze({
  file: 'samples.jsonl',
  schema: sampleRecordSchema,
});

/** Whether records are of a backbone with random weights, so that only their costs may be reported. */
export function ofRandomWeights(records: readonly SampleRecord[]): boolean {
  return records.some(({ randomWeights }) => randomWeights);
}
