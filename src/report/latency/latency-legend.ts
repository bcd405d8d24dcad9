import { median, medianAbsoluteDeviation } from '../../core/median.js';
import type { LatencyRecord } from '../../latency/latency-record.js';
import { randomWeightsNote, semanticsNames } from '../cell-rows.js';

function distinct(texts: readonly string[]): string {
  return [...new Set(texts)].join('; ');
}

function range(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? String(low) : `${low} to ${high}`;
}

function pinningOf({ protocol: { threads, pinning } }: LatencyRecord): string {
  const count = `${threads} thread${threads === 1 ? '' : 's'}`;
  return pinning.kind === 'pinned'
    ? `${count} on processor ${pinning.processors.join(', ')}`
    : `${count}, not pinned (${pinning.reason})`;
}

function protocolOf({ protocol }: LatencyRecord): string {
  const { steps, warmUp, repeats } = protocol;
  return `${repeats} repeats of ${warmUp} + ${steps} steps`;
}

function loadOf(records: readonly LatencyRecord[]): string {
  const known = records.flatMap(({ load }) => load ?? []);
  if (known.length === 0) return 'What other processes took is not known here.';
  const most = (share: (load: (typeof known)[number]) => number): string =>
    (100 * Math.max(...known.map(share))).toFixed(1);
  return `While cells took turns, other processes took at most ${most(({ others }) => others)} % of the processors and the hypervisor ${most(({ stolen }) => stolen)} %.`;
}

/** What every latency table says: backbone, prompts, protocol, machine. */
export function latencyLegend(records: readonly LatencyRecord[]): string[] {
  if (records.length === 0) return [];
  const random = records.some(({ randomWeights }) => randomWeights);
  const semantics = new Set(records.flatMap(({ cells }) => cells.map(({ cell }) => cell.semantics)));
  const rates = records.flatMap(({ memoryRead }) => memoryRead.rates);
  const rate = `${median(rates).toFixed(1)} ± ${medianAbsoluteDeviation(rates).toFixed(1)} GB/s`;
  const { attention, device, clockStep } = records[0]!.protocol;
  return [
    ...(random ? [randomWeightsNote] : []),
    `Backbone: ${distinct(records.map(({ backbone }) => backbone))}${random ? ' (random weights)' : ''}. Semantics: ${[...semantics].map((one) => semanticsNames[one]).join(', ')}. n = samples; prompts of ${range(records.map(({ prompt }) => prompt.tokens))} tokens, ${range(records.map(({ prompt }) => prompt.textTokens))} of them text.`,
    `Protocol: ${distinct(records.map(protocolOf))}, cells in turn, end of sequence ignored (docs/latency.md). ${distinct(records.map(pinningOf))}, ${attention} attention, ${device}; clock step ${clockStep.toFixed(2)} µs.`,
    `Limit: memory read at ${rate} (${distinct(records.map(({ memoryRead }) => memoryRead.by))}, in every repeat). ${loadOf(records)}`,
  ];
}
