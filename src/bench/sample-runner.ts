import { answerText } from '../backbone/answer-text.js';
import { embeddingOf } from '../backbone/embedding-table.js';
import { createStopCheck } from '../backbone/stop-criteria.js';
import type { MethodSet } from '../compression/method-set.js';
import { roundedToMicroseconds } from '../core/milliseconds.js';
import { CachePlanner } from './cache-planner.js';
import { type CompressedCacheRecord, cacheRecorder } from './cache-record.js';
import type { ImageFeatures } from './image-features.js';
import type { ImageReader } from './image-reader.js';
import type { Backbone } from './open-backbone.js';
import { recordVersion, type SampleRecord } from './record.js';
import type { GenerationSettings } from './record-key.js';
import { type CellOutcome, runCells } from './run-cells.js';
import type { KeyedCell, RunSample, SampleJob, SampleRunner } from './sample-job.js';
import { samplePrompt, seedOfPrompt } from './sample-prompt.js';
import { scoreRecord } from './score-record.js';

/**
 * Runs samples on one backbone: one prefill a sample, one decode a cell. Takes backbone, image reader and features over: closing
 * the runner closes them.
 */
export function createSampleRunner({
  backbone,
  methods,
  generation,
  seed,
  images,
  features,
  cacheBytes,
  spillDirectory,
}: {
  readonly backbone: Backbone;
  readonly methods: MethodSet;
  readonly generation: GenerationSettings;
  /** What random methods draw from, together with the sample. */
  readonly seed: number;
  readonly images: ImageReader;
  readonly features: ImageFeatures;
  /** What the caches of a sample may take in memory. */
  readonly cacheBytes: number;
  /** Where caches go that have no room in memory. */
  readonly spillDirectory: string;
}): SampleRunner {
  const { bundle, model, runtime, tokenizer, embeddings } = backbone;
  const { prompt: template, text, tokens } = bundle.manifest;
  const stop = createStopCheck({ stopStrings: template.stopStrings, tokenizer, tokens });
  const embed = (token: number): Float32Array => embeddingOf(embeddings, token);
  const planner = new CachePlanner({
    config: text,
    threads: runtime.threads,
    limit: cacheBytes,
    directory: spillDirectory,
    methods,
    generation,
  });
  const spent = { input: 0, prefill: 0, compress: 0, decode: 0, runtimeInCompression: 0 };

  const runSample: RunSample = async (job, next) => {
    const begin = performance.now();
    const { prompt, about } = await samplePrompt(job, next ?? null, {
      backbone,
      images,
      features,
      generation,
    });
    spent.input += performance.now() - begin;
    const cells = job.cells.map(({ cell }) => cell);
    const room = await planner.roomFor(cells, prompt.modality);
    const { times, outcomes } = await runCells({
      backbone,
      methods,
      prompt,
      seed: seedOfPrompt(seed, about),
      cells,
      decoding: { maxNewTokens: generation.maxNewTokens, stop, embed },
      mode: generation.decoding,
      room,
    });
    planner.prefilled(room.plan.passes.length * about.tokens, times.prefill);
    spent.prefill += times.prefill;
    spent.compress += times.compress;
    spent.runtimeInCompression += times.runtimeInCompression;
    spent.decode += times.decode;
    const answers = scoredAnswers(backbone, job);
    const recordCache = cacheRecorder(text, about.tokens);
    return outcomes.map((outcome, index) => {
      const keyed = job.cells[index]!;
      const answered = answers(outcome.generation.tokens);
      const cache = recordCache(outcome.layers);
      return recordOf(backbone, { job, keyed, about, outcome, answered, cache });
    });
  };
  return {
    runSample,
    prefills: () => model.counters.prefills,
    images: () => images.counters,
    features: () => features.counts,
    times: () => {
      const { runtimeInCompression, ...stages } = spent;
      return { ...stages, compute: runtime.milliseconds + spent.compress - runtimeInCompression };
    },
    caches: () => planner.counts,
    close: async () => {
      await planner.close();
      await images.close();
      await features.close();
      await backbone.close();
    },
  };
}

type AnsweredFields = 'tokens' | 'answer' | 'scores';

/** Text and scores of an answer's tokens; cells that answer alike are scored once. */
function scoredAnswers(
  { bundle, tokenizer }: Backbone,
  { task, sample }: SampleJob,
): (tokens: readonly number[]) => Pick<SampleRecord, AnsweredFields> {
  const known = new Map<string, Pick<SampleRecord, AnsweredFields>>();
  return (tokens) => {
    const key = tokens.join();
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = answerText(tokens, tokenizer, bundle.manifest.prompt.stopStrings);
    const { choices, response } = sample;
    const { metric, name: datasetName } = task.info;
    const scores = scoreRecord({ metric, datasetName, answer, response, choices });
    const answered = { tokens: [...tokens], answer, scores };
    known.set(key, answered);
    return answered;
  };
}

function recordOf(
  backbone: Backbone,
  run: {
    readonly job: SampleJob;
    readonly keyed: KeyedCell;
    readonly about: SampleRecord['prompt'];
    readonly outcome: CellOutcome;
    readonly answered: Pick<SampleRecord, AnsweredFields>;
    readonly cache: CompressedCacheRecord;
  },
): SampleRecord {
  const { job, keyed, about, outcome } = run;
  const { task, sample } = job;
  const { manifest } = backbone.bundle;
  const { generation } = outcome;
  return {
    version: recordVersion,
    key: keyed.key,
    backbone: manifest.name,
    ...(manifest.source.kind === 'random' ? { randomWeights: true } : {}),
    task: task.info.name,
    column: task.info.column,
    metric: task.info.metric,
    sampleId: sample.sampleId,
    quantityLevel: sample.quantityLevel,
    cell: keyed.cell,
    ...run.answered,
    response: sample.response,
    choices: sample.choices === null ? null : [...sample.choices],
    prompt: about,
    cache: {
      ...run.cache,
      bytesEnd: outcome.bytesEnd,
    },
    time: {
      prefill: roundedToMicroseconds(outcome.prefillTime),
      compress: roundedToMicroseconds(outcome.layers.reduce((total, layer) => total + layer.milliseconds, 0)),
      decode: roundedToMicroseconds(generation.steps.reduce((total, step) => total + step, 0)),
      steps: generation.steps.map(roundedToMicroseconds),
      ...(outcome.sharedDecode ? { sharedDecode: true } : {}),
    },
  };
}
