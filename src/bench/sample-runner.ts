import { answerText } from '../backbone/answer-text.js';
import { createStopCheck } from '../backbone/stop-criteria.js';
import type { MethodSet } from '../compression/method-set.js';
import { totalRows } from '../compression/row-budget.js';
import { sha256 } from '../core/content-hash.js';
import { UserError } from '../core/errors.js';
import { bytesOf } from '../core/tensor.js';
import { combinedImagesName } from '../milebench/image-paths.js';
import { CachePlanner } from './cache-planner.js';
import type { ImageFeatures } from './image-features.js';
import type { ImageReader } from './image-reader.js';
import type { Backbone } from './open-backbone.js';
import type { StoredLayer } from './prefill-cells.js';
import { encodePrompt, tokenizeSample } from './prepare-prompt.js';
import { recordVersion, type SampleRecord } from './record.js';
import type { GenerationSettings } from './record-key.js';
import type { StoredRows } from './row-store.js';
import { type CellOutcome, runCells } from './run-cells.js';
import { sampleImageFiles } from './sample-images.js';
import type { KeyedCell, RunSample, SampleJob, SampleRunner } from './sample-job.js';
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
  const embed = (token: number): Float32Array => {
    const row = new Float32Array(text.hiddenSize);
    embeddings.readRow(token, row);
    return row;
  };
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
    const tokenized = tokenizeSample(backbone, job.task, job.sample, generation);
    const inputs = await images.read(tokenized.imagePaths).catch((error: unknown) => {
      throw locatedInSample(error, job, generation.combineImages);
    });
    if (next !== undefined) {
      images.readAhead(sampleImageFiles(next.task, next.sample, generation.combineImages));
    }
    const { prompt, about } = await encodePrompt(backbone, features, tokenized, inputs);
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
    const keptHash = keptHashes();
    return outcomes.map((outcome, index) => {
      const keyed = job.cells[index]!;
      const answered = answers(outcome.generation.tokens);
      const keptSha256 = outcome.layers.map(({ cache }) => keptHash(cache));
      return recordOf(backbone, { job, keyed, about, outcome, answered, keptSha256 });
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

/** An image that cannot be used is named together with the field that asks for it. */
function locatedInSample(error: unknown, { task, sample }: SampleJob, combineImages: 1 | null): unknown {
  if (!(error instanceof UserError)) return error;
  const { what, where: file = 'image', fix } = error.problem;
  const field = combineImages === null ? 'images_path' : combinedImagesName(combineImages);
  const where = `${task.info.annotationFile}, sample ${sample.sampleId}, field task_instance.${field}`;
  return new UserError({ what: `${file}: ${what}`, where, ...(fix === undefined ? {} : { fix }) });
}

/** The seed of a prompt's random methods: the run's, and what the prompt is. */
function seedOfPrompt(seed: number, { sha256: ids, pixelsSha256 }: SampleRecord['prompt']): number {
  return Number.parseInt(sha256(`${seed} ${ids} ${pixelsSha256}`).slice(0, 8), 16);
}

/** Hashes of kept indices; rows that cells share are hashed once. */
function keptHashes(): (rows: StoredRows) => string {
  const known = new Map<StoredRows, string>();
  return (rows) => {
    const hash = known.get(rows) ?? sha256(bytesOf(rows.kept));
    known.set(rows, hash);
    return hash;
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
    readonly keptSha256: string[];
  },
): SampleRecord {
  const { job, keyed, about, outcome } = run;
  const { task, sample } = job;
  const { manifest } = backbone.bundle;
  const { generation } = outcome;
  const { kvHeads, headDim } = manifest.text;
  const rowBytes = 2 * kvHeads * headDim * Float32Array.BYTES_PER_ELEMENT;
  const size = cacheSize.bind(null, { rowBytes, tokens: about.tokens });
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
      nominal: size(outcome.layers.map(({ nominal }) => totalRows(nominal))),
      effective: size(outcome.layers.map(({ cache }) => cache.rows)),
      bytesEnd: outcome.bytesEnd,
      keptSha256: run.keptSha256,
      outcome: describeOutcome(outcome.layers),
      remarks: distinct(outcome.layers.flatMap(({ remark }) => remark ?? [])),
    },
    time: {
      prefill: inMicroseconds(outcome.prefillTime),
      compress: inMicroseconds(outcome.layers.reduce((total, layer) => total + layer.milliseconds, 0)),
      decode: inMicroseconds(generation.steps.reduce((total, step) => total + step, 0)),
      steps: generation.steps.map(inMicroseconds),
      ...(outcome.sharedDecode ? { sharedDecode: true } : {}),
    },
  };
}

/** Milliseconds without digits the clock does not have. */
function inMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** Rows of each layer, in the measures that records keep. */
function cacheSize(
  { rowBytes, tokens }: { readonly rowBytes: number; readonly tokens: number },
  rows: number[],
): SampleRecord['cache']['effective'] {
  return {
    rows,
    bytes: rows.map((count) => count * rowBytes),
    ratio: rows.map((count) => count / tokens),
  };
}

/** What happened, once where it happened to all layers alike. */
function describeOutcome(layers: readonly StoredLayer[]): string {
  const each = layers.map(({ outcome }) =>
    outcome.kind === 'compressed' ? 'compressed' : `unchanged: ${outcome.reason}`,
  );
  return distinct(each).join(', ');
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
