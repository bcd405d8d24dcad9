import { z } from 'zod';

/** Shares of the prompt length, in [0, 1]. */
export interface RatioBudget {
  readonly kind: 'ratio';
  /** The last tokens of the prompt. */
  readonly recent: number;
  /** Tokens chosen by score among the rest. */
  readonly important: number;
}

/** Rows in every layer, whatever the length of the prompt. */
export interface TokenBudget {
  readonly kind: 'tokens';
  readonly recent: number;
  readonly important: number;
}

/** Bytes of K and V (float32) of all layers together. */
export interface ByteBudget {
  readonly kind: 'bytes';
  readonly recent: number;
  readonly important: number;
}

/** How much of a prompt's cache is kept: its most recent tokens, and important ones before them. */
export type Budget = RatioBudget | TokenBudget | ByteBudget;

const share = z.number().nonnegative();
const count = z.int().nonnegative();

/** A budget as records keep it. */
export const budgetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ratio'), recent: share, important: share }),
  z.strictObject({ kind: z.literal('tokens'), recent: count, important: count }),
  z.strictObject({ kind: z.literal('bytes'), recent: count, important: count }),
]) satisfies z.ZodType<Budget>;
