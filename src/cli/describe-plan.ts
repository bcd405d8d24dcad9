import type { RunMemory } from '../bench/memory-fit.js';
import { type BenchPlan, isFullCell, prefillTokens } from '../bench/plan.js';
import { estimatedSize } from '../bench/prompt-size.js';
import { budgetName } from '../config/budget.js';
import type { LatencyProtocol } from '../config/protocols.js';
import { renderConsole } from '../report/render-console.js';
import type { Table } from '../report/table.js';
import { describeMemory } from './run-memory.js';
import type { Output } from './shell.js';

function cellTable({ cells }: BenchPlan): Table {
  return {
    name: 'cells',
    title: `${cells.length} cells`,
    notes: [],
    legend: [],
    columns: ['method', 'semantics', 'budget', 'first token'].map((header) => ({ header, kind: 'text' })),
    rows: cells.map((cell) => ({
      values: [
        cell.method,
        cell.semantics,
        cell.budget === null ? '100%' : budgetName(cell.budget),
        isFullCell(cell) ? 'either' : cell.firstToken,
      ],
      flagged: false,
    })),
  };
}

function taskTable({ tasks }: BenchPlan): Table {
  return {
    name: 'tasks',
    title: `${tasks.length} tasks`,
    notes: [],
    legend: [],
    columns: [
      { header: 'task', kind: 'text' },
      { header: 'column', kind: 'text' },
      { header: 'samples', kind: 'number' },
      { header: 'unusable', kind: 'number' },
    ],
    rows: tasks.map(({ task, samples }) => ({
      values: [task.info.name, task.info.column, samples.length, task.failures.length],
      flagged: task.failures.length > 0,
    })),
  };
}

/** The plan of a run as text, or as one JSON object. */
export function describePlan(
  plan: BenchPlan,
  options: {
    readonly out: string;
    readonly tokensPerImage: number;
    readonly memory: RunMemory;
    /** `null` for an accuracy run. */
    readonly latency: LatencyProtocol | null;
    readonly json: boolean;
    readonly output: Output;
  },
): string {
  const { out, tokensPerImage, memory, latency, json, output } = options;
  const { cells, tasks } = plan;
  const samples = tasks.reduce((sum, task) => sum + task.samples.length, 0);
  const tokens = prefillTokens(plan, (_task, sample) => {
    const { text, images } = estimatedSize(sample, tokensPerImage);
    return text + images;
  });
  const records = latency === null ? samples * cells.length : samples;
  if (json) {
    const counts = tasks.map(({ task, samples: own }) => ({ task: task.info.name, samples: own.length }));
    return `${JSON.stringify({ out, cells, tasks: counts, samples, records, estimatedPrefillTokens: tokens, latency, memory }, null, 2)}\n`;
  }
  const prefills = `${samples} prefills of about ${tokens} tokens in all`;
  const total =
    latency === null
      ? `${samples} samples × ${cells.length} cells = ${records} records, ${prefills}.`
      : `${samples} samples, ${prefills}. ${cells.length} cells take turns at decoding: ${latency.repeats} repeats of ${latency.warmUp} + ${latency.steps} steps${latency.nullTest ? ', the full cache twice' : ''}.`;
  const tables = [cellTable(plan), taskTable(plan)].map((table) => renderConsole(table, output));
  return `${[...tables, total, describeMemory(memory), `Would be written to ${out}.`].join('\n')}\n`;
}
