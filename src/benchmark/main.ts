import { Runtime } from '../engine/runtime.js';
import { benchmarkCompression } from './compression.js';
import { benchmarkDecodeAttention } from './decode-attention.js';

const benchmarks = {
  compression: { run: benchmarkCompression, what: 'one layer of LLaVA-1.5-7B, 4096 rows' },
  decode: { run: benchmarkDecodeAttention, what: 'decode attention of LLaVA-1.5-7B' },
} as const;

/** `npm run benchmark [-- name…] [--threads n] [--rounds n]` prints medians; compare them within one run only. */
const words = process.argv.slice(2);
const option = (name: string, fallback: number): number => {
  const at = words.indexOf(name);
  return at < 0 ? fallback : Number(words.splice(at, 2)[1]);
};
const threads = option('--threads', 1);
const rounds = option('--rounds', 7);
const chosen = Object.entries(benchmarks).filter(([name]) => words.length === 0 || words.includes(name));
if (chosen.length === 0) {
  console.error(`error: unknown benchmark; known are ${Object.keys(benchmarks).join(', ')}`);
  process.exitCode = 2;
}
for (const [name, { run, what }] of chosen) {
  console.log(`\n${name}: ${what}, ${threads} thread(s), ${rounds} interleaved rounds`);
  const runtime = new Runtime({ threads });
  for (const timing of await run(runtime, rounds)) {
    const [middle, spread] = [timing.median.toFixed(1), timing.mad.toFixed(1)];
    console.log(`  ${timing.name.padEnd(36)} median ${middle.padStart(8)} ms  MAD ${spread.padStart(6)}`);
  }
  await runtime.close();
}
