import { failuresName, manifestName } from '../bench/run-directory.js';
import { latencyLog } from '../latency/latency-record.js';
import type { LatencySummary } from '../latency/run-latency.js';
import type { Table } from '../report/table.js';
import { describeTables, numberOf, tableFiles } from './describe-run.js';
import type { Output } from './shell.js';

/** Tables and closing lines of a latency run. */
export function describeLatencyRun(
  { planned, written, resumed, failures, interrupted, times }: LatencySummary,
  {
    tables,
    out,
    output,
  }: { readonly tables: readonly Table[]; readonly out: string; readonly output: Output },
): string {
  const { paint } = output;
  const state = interrupted ? paint.yellow('Stopped') : paint.green('Done');
  const failed = failures.length === 0 ? '' : `, ${numberOf(failures.length, 'sample')} failed`;
  const next = interrupted
    ? 'the same command continues this run'
    : 'docs/latency.md says how to read the tables; run again into another --out to see whether intervals agree';
  return `${[
    describeTables(tables, output),
    `${state}: ${numberOf(planned.length, 'sample')} (${written} new, ${resumed} found)${failed}, ${(times.wall / 1000).toFixed(1)} s.`,
    tableFiles(tables, out),
    `Records: ${out}/${latencyLog.file}, ${manifestName}${failures.length > 0 ? `, ${failuresName}` : ''}`,
    `Next: ${next}`,
  ].join('\n')}\n`;
}

/** What a latency run did, as one JSON object. */
export function latencyRunAsJson({ planned, ...summary }: LatencySummary, out: string): string {
  const randomWeights = planned.some((record) => record.randomWeights);
  return `${JSON.stringify({ out, records: planned.length, randomWeights, ...summary }, null, 2)}\n`;
}
