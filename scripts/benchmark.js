#!/usr/bin/env node
// `npm run benchmark [-- name…] [--threads n] [--rounds n] [--attention auto|portable|native]`: medians of kernels; compare them within one run only.
import { parseArgs } from 'node:util';
import { benchmarks } from '../dist/benchmark/registry.js';
import { UserError } from '../dist/core/errors.js';
import { attentionChoices, openRuntime } from '../dist/engine/open-runtime.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '7' },
    attention: { type: 'string', default: 'auto' },
  },
});
const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
const { attention } = values;
const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined || !(threads > 0) || !(rounds > 0) || !attentionChoices.includes(attention)) {
  const names = Object.keys(benchmarks).join(', ');
  console.error(
    `error: usage: npm run benchmark [-- ${names}] [--threads n] [--rounds n] [--attention ${attentionChoices.join('|')}]`,
  );
  process.exit(2);
}

/** One line: median and spread, then whatever else is known of the contender. */
function line({ name, median, mad, part, rate, share, ratio }) {
  const percent = (value) => `${(100 * value).toFixed(0)} %`;
  return [
    `  ${name.padEnd(36)} ${median.toFixed(1).padStart(8)} ms ±${mad.toFixed(1).padStart(5)}`,
    part && `${part.median < 0.1 ? part.median.toFixed(4) : part.median.toFixed(2)} ms a ${part.name}`,
    rate && `${rate.value.toFixed(1)} ${rate.unit}`,
    share && `${percent(share.median)} ±${percent(share.mad)} of the limit`,
    ratio &&
      `${ratio.median.toFixed(2)} ±${ratio.mad.toFixed(2)} x ${ratio.to.length === 1 ? ratio.to[0] : `the faster of ${ratio.to.length}`}`,
  ]
    .filter(Boolean)
    .join('  ');
}

for (const [name, { run, what }] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const runtime = await openRuntime({ threads, attention, device: 'cpu' });
  console.log(
    `\n${name}: ${what}, ${threads} thread(s), ${runtime.kind} attention, ${rounds} interleaved rounds`,
  );
  try {
    const { timings, notes = [] } = await run(runtime, rounds);
    for (const timing of timings) console.log(line(timing));
    for (const note of notes) console.log(`  ${note}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = error.exitCode ?? 2;
  } finally {
    await runtime.close();
  }
}
