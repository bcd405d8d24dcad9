import { benchmarkCompression } from './compression.js';
import { benchmarkDecodeAttention } from './decode-attention.js';

/** Kernel benchmarks by name; each times its contenders in one interleaved run on a runtime. */
export const benchmarks = Object.freeze({
  compression: { run: benchmarkCompression, what: 'one layer of LLaVA-1.5-7B, 4096 rows' },
  decode: { run: benchmarkDecodeAttention, what: 'decode attention of LLaVA-1.5-7B' },
} as const);
