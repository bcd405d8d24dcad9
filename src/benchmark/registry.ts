import { benchmarkCompression } from './compression.js';
import { benchmarkDecodeAttention } from './decode-attention.js';
import { benchmarkPromptBuilding } from './prompt-building.js';
import { benchmarkScoring } from './scoring.js';

/** Benchmarks by name; each times its contenders in one interleaved run, those of kernels on the runtime given. */
export const benchmarks = Object.freeze({
  compression: { run: benchmarkCompression, what: 'one layer of LLaVA-1.5-7B, 4096 rows' },
  decode: { run: benchmarkDecodeAttention, what: 'decode attention of LLaVA-1.5-7B' },
  scoring: { run: benchmarkScoring, what: 'all of MileBench, at most 5000 ms' },
  prompts: { run: benchmarkPromptBuilding, what: 'all of MileBench with its tokenizer, at most 30000 ms' },
} as const);
