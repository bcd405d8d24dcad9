import type { BenchPlan } from '../bench/plan.js';
import type { BenchSummary } from '../bench/run-bench.js';
import { failuresName, manifestName, recordsName } from '../bench/run-directory.js';
import { renderConsole } from '../report/render-console.js';
import { reportTables } from '../report/report-tables.js';
import type { Output } from './shell.js';

function numberOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

function counts({ planned, written, resumed, prefills, failures }: BenchSummary): string {
  const failed = failures.length === 0 ? '' : `, ${numberOf(failures.length, 'sample')} failed`;
  return `${numberOf(planned.length, 'record')} (${written} new, ${resumed} found), ${numberOf(prefills, 'prefill')}${failed}`;
}

/** Where the time went; the share outside ONNX Runtime and compression is what the harness costs. */
function timeSpent({ times }: BenchSummary): string {
  const { wall, compute, ...stages } = times;
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const named = Object.entries(stages).map(([stage, ms]) => `${stage} ${seconds(ms)}`);
  const other = wall - Object.values(stages).reduce((total, ms) => total + ms, 0);
  const overhead = ((wall - compute) / wall) * 100;
  return `${seconds(wall)} s (${named.join(', ')}, other ${seconds(other)}); ${overhead.toFixed(1)} % outside ONNX Runtime and compression`;
}

function nextStep({ interrupted, failures }: BenchSummary): string {
  if (interrupted) return 'the same command continues this run';
  if (failures.length > 0) return 'mend the failed samples; the same command runs only them';
  return 'lookm bench --help shows how to choose methods, budgets, tasks and your own backbone';
}

/** Tables and closing lines of a run. */
export function describeRun(
  summary: BenchSummary,
  { plan, out, output }: { readonly plan: BenchPlan; readonly out: string; readonly output: Output },
): string {
  const { paint } = output;
  const { cells, firstTokens } = plan;
  const tables = reportTables({ records: summary.planned, cells, firstTokens });
  const state = summary.interrupted ? paint.yellow('Stopped') : paint.green('Done');
  return `${[
    ...tables.map((table) => renderConsole(table, output)),
    ...(tables[0]?.legend ?? []).map((line) => paint.dim(line)),
    '',
    `${state}: ${counts(summary)}.`,
    ...(summary.prefills > 0 ? [`Time: ${timeSpent(summary)}`] : []),
    `Tables: ${out}/{${tables.map(({ name }) => name).join(',')}}.{csv,md}`,
    `Records: ${out}/${recordsName}, ${manifestName}${summary.failures.length > 0 ? `, ${failuresName}` : ''}`,
    `Next: ${nextStep(summary)}`,
  ].join('\n')}\n`;
}

/** What a run did, as one JSON object. */
export function runAsJson({ planned, ...summary }: BenchSummary, out: string): string {
  return `${JSON.stringify({ out, records: planned.length, ...summary }, null, 2)}\n`;
}
