import type { Benchmark } from './benchmark.js';
import { benchmarkCompression } from './compression.js';
import { benchmarkDecode } from './decode.js';
import { benchmarkAttention } from './decode-attention.js';
import { benchmarkPeer } from './peer.js';
import { benchmarkPrefill } from './prefill.js';
import { benchmarkPromptBuilding } from './prompt-building.js';
import { benchmarkScoring } from './scoring.js';
import { benchmarkVision } from './vision.js';

/** Benchmarks by name. */
export const benchmarks = Object.freeze({
  decode: { run: benchmarkDecode, what: 'one token through 4 layers of LLaVA-1.5-7B' },
  prefill: { run: benchmarkPrefill, what: 'prompts through 4 layers of LLaVA-1.5-7B' },
  vision: { run: benchmarkVision, what: 'one image of 336 pixels' },
  peer: { run: benchmarkPeer, what: '4 layers of LLaVA-1.5-7B here and in llama.cpp' },
  attention: { run: benchmarkAttention, what: 'decode attention of LLaVA-1.5-7B' },
  compression: { run: benchmarkCompression, what: 'one layer of LLaVA-1.5-7B, 4096 rows' },
  scoring: { run: benchmarkScoring, what: 'all of MileBench, at most 5000 ms' },
  prompts: { run: benchmarkPromptBuilding, what: 'all of MileBench with its tokenizer, at most 30000 ms' },
} as const satisfies Record<string, Benchmark>);
