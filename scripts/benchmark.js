#!/usr/bin/env node
// `npm run benchmark [-- name…] [--threads n] [--rounds n]`: medians of kernels; compare them within one run only.
import { parseArgs } from 'node:util';
import { benchmarks } from '../dist/benchmark/registry.js';
import { Runtime } from '../dist/engine/runtime.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: 'string', default: '1' }, rounds: { type: 'string', default: '7' } },
});
const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined || !(threads > 0) || !(rounds > 0)) {
  const names = Object.keys(benchmarks).join(', ');
  console.error(`error: usage: npm run benchmark [-- ${names}] [--threads n] [--rounds n]`);
  process.exit(2);
}
for (const [name, { run, what }] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n${name}: ${what}, ${threads} thread(s), ${rounds} interleaved rounds`);
  const runtime = new Runtime({ threads });
  for (const timing of await run(runtime, rounds)) {
    const [middle, spread] = [timing.median.toFixed(1), timing.mad.toFixed(1)];
    const ratio = timing.ratio === null ? '' : `  ${timing.ratio.median.toFixed(2)} x ${timing.ratio.to}`;
    console.log(
      `  ${timing.name.padEnd(36)} median ${middle.padStart(8)} ms  MAD ${spread.padStart(6)}${ratio}`,
    );
  }
  await runtime.close();
}
