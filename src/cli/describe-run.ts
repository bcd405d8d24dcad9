import { ofRandomWeights, sampleLog } from '../bench/record.js';
import type { BenchSummary } from '../bench/run-bench.js';
import { failuresName, manifestName } from '../bench/run-directory.js';
import { renderConsole } from '../report/render-console.js';
import type { Table } from '../report/table.js';
import type { Output } from './shell.js';

/** A count with its noun. */
export function numberOf(count: number, thing: string): string {
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

/** The tables of a report that readers of a console want, and once what they have in common. */
export function describeTables(tables: readonly Table[], output: Output): string {
  const legend = (tables[0]?.legend ?? []).map((line) => output.paint.dim(line));
  const shown = tables.filter(({ filesOnly, rows }) => !filesOnly && rows.length > 0);
  return [...shown.map((table) => renderConsole(table, output)), ...legend, ''].join('\n');
}

/** Where the tables were written, and which of them the console leaves out. */
export function tableFiles(tables: readonly Table[], out: string): string {
  const names = (filesOnly: boolean): string =>
    tables
      .filter((table) => (table.filesOnly ?? false) === filesOnly)
      .map(({ name }) => name)
      .join(',');
  return `Tables: ${out}/{${names(false)}}.{csv,md}, in files only {${names(true)}}.{csv,md}`;
}

/** Tables and closing lines of a run. */
export function describeRun(
  summary: BenchSummary,
  {
    tables,
    out,
    output,
  }: { readonly tables: readonly Table[]; readonly out: string; readonly output: Output },
): string {
  const { paint } = output;
  const state = summary.interrupted ? paint.yellow('Stopped') : paint.green('Done');
  return `${[
    describeTables(tables, output),
    `${state}: ${counts(summary)}.`,
    ...(summary.prefills > 0 ? [`Time: ${timeSpent(summary)}`] : []),
    tableFiles(tables, out),
    `Records: ${out}/${sampleLog.file}, ${manifestName}${summary.failures.length > 0 ? `, ${failuresName}` : ''}`,
    `Next: ${nextStep(summary)}`,
  ].join('\n')}\n`;
}

/** What a run did, as one JSON object. */
export function runAsJson({ planned, ...summary }: BenchSummary, out: string): string {
  const randomWeights = ofRandomWeights(planned);
  return `${JSON.stringify({ out, records: planned.length, randomWeights, ...summary }, null, 2)}\n`;
}
