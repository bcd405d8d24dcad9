import { z } from 'zod';

export const firstTokenSchema = z.enum(['prefill', 'cache']);
/** Where the first answer token comes from: the uncompressed prefill, or the compressed cache. */
export type FirstToken = z.infer<typeof firstTokenSchema>;

export const semanticsSchema = z.enum(['release', 'paper']);
/** `release` = what the published code computes; `paper` = what its equations say. */
export type Semantics = z.infer<typeof semanticsSchema>;

export const scoringSchema = z.enum(['release', 'fixed']);
/** `release` = as MileBench's scripts score, bugs included; `fixed` = with their documented bugs repaired. */
export type Scoring = z.infer<typeof scoringSchema>;

export const attentionSchema = z.enum(['auto', 'portable', 'native']);
/** How ONNX Runtime is reached and which attention kernels run; `auto` = the fastest that is available. */
export type AttentionChoice = z.infer<typeof attentionSchema>;

export const deviceSchema = z.enum(['cpu', 'webgpu', 'cuda']);
/** What computes the network. */
export type Device = z.infer<typeof deviceSchema>;

export const decodingSchema = z.enum(['alone', 'together']);
/**
 * How the cells of a sample decode: one after the other, each with times of its own, or all in step, in one pass over
 * the weights a token, which is faster and times nothing.
 */
export type Decoding = z.infer<typeof decodingSchema>;

/** What decides how a latency run measures a cell. */
export const latencyProtocolSchema = z.strictObject({
  /** Timed decode steps of a repeat; end-of-sequence tokens do not end them. */
  steps: z.int().positive(),
  /** Steps before them that are not timed. */
  warmUp: z.int().nonnegative(),
  repeats: z.int().positive(),
  /** Whether the full cache takes part a second time. */
  nullTest: z.boolean(),
});
export type LatencyProtocol = z.infer<typeof latencyProtocolSchema>;
