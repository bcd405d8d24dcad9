import { answerText } from '../backbone/answer-text.js';
import { createStopCheck } from '../backbone/stop-criteria.js';
import type { Outcome } from '../compression/compressed-layer.js';
import { sha256 } from '../core/content-hash.js';
import { bytesOf } from '../core/tensor.js';
import { scoreAnswer } from '../scoring/score-answer.js';
import type { Backbone } from './open-backbone.js';
import { preparePrompt, tokenizeSample } from './prepare-prompt.js';
import { type Cell, recordVersion, type SampleRecord } from './record.js';
import type { GenerationSettings } from './record-key.js';
import { type CellOutcome, runCells } from './run-cells.js';
import type { KeyedCell, RunSample, SampleJob } from './sample-job.js';

/** What a runner has done so far; times in milliseconds. */
export interface Work {
  /** Prompts that went through the decoder, counted where it happens. */
  readonly prefills: number;
  /** Questions, token ids, image files and vision tower. */
  readonly input: number;
  readonly prefill: number;
  readonly compress: number;
  readonly decode: number;
  /** Inside ONNX Runtime or compression, in whichever of the above. */
  readonly compute: number;
}

/** Runs samples on one backbone: one prefill a sample, one decode a cell. */
export function createSampleRunner(
  backbone: Backbone,
  generation: GenerationSettings,
): { readonly runSample: RunSample; readonly work: () => Work } {
  const { bundle, model, runtime, tokenizer, embeddings } = backbone;
  const { prompt: template, text, tokens } = bundle.manifest;
  const stop = createStopCheck({ stopStrings: template.stopStrings, tokenizer, tokens });
  const embed = (token: number): Float32Array => {
    const row = new Float32Array(text.hiddenSize);
    embeddings.readRow(token, row);
    return row;
  };
  const spent = { input: 0, prefill: 0, compress: 0, decode: 0, runtimeInCompression: 0 };

  const runSample: RunSample = async (job) => {
    const begin = performance.now();
    const { prompt, about } = await preparePrompt(
      backbone,
      tokenizeSample(backbone, job.task, job.sample, generation),
    );
    spent.input += performance.now() - begin;
    const kept = new Map<Cell, string[]>(job.cells.map(({ cell }) => [cell, []]));
    const cells = job.cells.map(({ cell }) => cell);
    const decoding = { maxNewTokens: generation.maxNewTokens, stop, embed };
    const run = await runCells(backbone, prompt, cells, decoding, {
      onCompressed: (cell, _layer, compressed) => kept.get(cell)?.push(sha256(bytesOf(compressed.kept))),
    });
    spent.prefill += run.prefillTime;
    spent.runtimeInCompression += run.runtimeInCompression;
    return run.outcomes.map((outcome, index) => {
      const keyed = job.cells[index]!;
      const keptSha256 = kept.get(keyed.cell)!;
      const record = recordOf(backbone, {
        job,
        keyed,
        about,
        outcome,
        keptSha256,
        prefillTime: run.prefillTime,
      });
      spent.compress += record.time.compress;
      spent.decode += record.time.decode;
      return record;
    });
  };
  const work = (): Work => {
    const { runtimeInCompression, ...times } = spent;
    const compute = runtime.milliseconds + spent.compress - runtimeInCompression;
    return { ...times, prefills: model.counters.prefills, compute };
  };
  return { runSample, work };
}

function recordOf(
  backbone: Backbone,
  run: {
    readonly job: SampleJob;
    readonly keyed: KeyedCell;
    readonly about: SampleRecord['prompt'];
    readonly outcome: CellOutcome;
    readonly keptSha256: string[];
    readonly prefillTime: number;
  },
): SampleRecord {
  const { job, keyed, about, outcome } = run;
  const { task, sample } = job;
  const { manifest } = backbone.bundle;
  const { generation } = outcome;
  const answer = answerText(generation.tokens, backbone.tokenizer, manifest.prompt.stopStrings);
  const { choices, response } = sample;
  const { metric, name } = task.info;
  const { score, extracted } = scoreAnswer({ metric, datasetName: name, answer, response, choices });
  const rows = [...outcome.rows];
  return {
    version: recordVersion,
    key: keyed.key,
    backbone: manifest.name,
    task: name,
    column: task.info.column,
    metric,
    sampleId: sample.sampleId,
    cell: keyed.cell,
    answer,
    tokens: [...generation.tokens],
    response,
    choices: choices === null ? null : [...choices],
    score,
    extracted,
    prompt: about,
    cache: {
      rows,
      bytesCompressed: outcome.bytesCompressed,
      bytesEnd: outcome.bytesEnd,
      effectiveRatio: rows.reduce((total, count) => total + count, 0) / (rows.length * about.tokens),
      keptSha256: run.keptSha256,
      outcome: describeOutcome(outcome.outcome),
    },
    time: {
      prefill: run.prefillTime,
      compress: outcome.compressTime,
      decode: generation.steps.reduce((total, step) => total + step, 0),
      steps: [...generation.steps],
    },
  };
}

function describeOutcome(outcome: Outcome): string {
  return outcome.kind === 'compressed' ? 'compressed' : `unchanged: ${outcome.reason}`;
}
