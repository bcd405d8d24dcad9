import { z } from 'zod';
import type { Scoring } from '../config/protocols.js';
import { UserError } from '../core/errors.js';
import { pythonRepr, pythonStr } from '../core/python-format.js';
import { dictEntries, type PythonDict, type PythonValue } from '../core/python-value.js';
import { quantityLevel } from '../milebench/quantity-level.js';
import type { OfficialMetric } from '../milebench/taxonomy.js';
import { pythonDictSchema, pythonValueSchema, readFields } from './read-fields.js';
import { dictKey, intKey, pythonInt } from './sample-id.js';

/** A prediction as a dict that can be changed: a new key goes to the end, a known one keeps its place. */
export type PredictionRow = Map<string, PythonValue>;

/** Two parsed files, and what is asked of them. */
export interface EvaluationInput {
  /** The annotation's dataset; some rules depend on its name. */
  readonly datasetName: string;
  readonly metric: OfficialMetric;
  readonly predictions: PythonValue;
  readonly annotation: PythonValue;
  readonly scoring: Scoring;
  /** Accept predictions for some of the samples only. */
  readonly partial: boolean;
  /** Names of the two files, for errors. */
  readonly files: { readonly predictions: string; readonly annotation: string };
}

export interface PairedPredictions {
  /** In the order of the predictions. */
  readonly rows: readonly PredictionRow[];
  /** Samples of the annotation. */
  readonly samples: number;
}

/** Ids shown of a list that may be long. */
const mostShown = 5;

const predictionSchema = z.object({ sample_id: pythonValueSchema });

const sampleSchema = z.object({
  sample_id: pythonValueSchema,
  image_quantity_level: pythonValueSchema.optional(),
  task_instance: z.object({
    images_path: z.array(pythonValueSchema),
    choice_list: z.array(pythonValueSchema).optional(),
  }),
});

function shownIds(ids: readonly string[]): string {
  const shown = ids.slice(0, mostShown).join(', ');
  return ids.length > mostShown ? `${shown} and ${ids.length - mostShown} more` : shown;
}

/** The predictions by the key of their id; of an id that comes twice the last counts, as in a Python dict. */
function rowsById(dicts: readonly PythonDict[], file: string) {
  const rows: PredictionRow[] = [];
  const byId = new Map<string, PredictionRow>();
  const repeated = new Set<string>();
  for (const [index, dict] of dicts.entries()) {
    const where = `${file}, prediction ${index}`;
    const { sample_id: id } = readFields(predictionSchema, {
      value: dict,
      where,
      fix: 'give it the id of its sample',
    });
    const key = dictKey(id);
    if (key === null) {
      const what = `${pythonStr(id)} is no id`;
      throw new UserError({ what, where: `${where}, field sample_id`, fix: 'write the sample’s number' });
    }
    if (byId.has(key)) repeated.add(pythonStr(id));
    const row: PredictionRow = new Map(dictEntries(dict));
    rows.push(row);
    byId.set(key, row);
  }
  return { rows, byId, repeated: [...repeated] };
}

function readSample(value: PythonValue, index: number, { files, metric, scoring }: EvaluationInput) {
  const fix = 'correct the annotation';
  const entry = `${files.annotation}, sample #${index}`;
  const fields = readFields(sampleSchema, { value, where: entry, fix });
  const id = pythonInt(fields.sample_id);
  if (id === null) {
    const what = `${JSON.stringify(pythonStr(fields.sample_id))} is no integer`;
    throw new UserError({ what, where: `${entry}, field sample_id`, fix });
  }
  const where = `${files.annotation}, sample ${id}`;
  const { images_path: images, choice_list: choices } = fields.task_instance;
  let level = fields.image_quantity_level;
  if (level === undefined && scoring === 'fixed') level = quantityLevel(images.length);
  if (level === undefined) {
    const what = 'is missing, and the official script stops there';
    throw new UserError({ what, where: `${where}, field image_quantity_level`, fix });
  }
  if (metric === 'accuracy' && choices === undefined) {
    const what = 'is missing, and a multiple-choice answer is scored by its choices';
    throw new UserError({ what, where: `${where}, field task_instance.choice_list`, fix });
  }
  return { id, level, images, choices: choices ?? [] };
}

type SampleFields = ReturnType<typeof readSample>;
type RowsById = ReturnType<typeof rowsById>;

/**
 * Throws a `UserError` unless every prediction belongs to a sample of the annotation, and every sample has one (some do
 * when `partial`). Predictions may share an id only where as many samples do, as the script lets them.
 */
function checkCounts(
  { rows, byId, repeated }: RowsById,
  samples: readonly SampleFields[],
  { partial, files }: EvaluationInput,
): void {
  const problem = (what: string, fix: string) => new UserError({ what, where: files.predictions, fix });
  const counts = `holds ${rows.length} predictions for ${samples.length} samples`;
  const twice = repeated.length === 0 ? '' : `, more than one of ${shownIds(repeated)}`;
  const keys = new Set(samples.map(({ id }) => intKey(id)));
  const missing = samples.filter(({ id }) => !byId.has(intKey(id))).map(({ id }) => String(id));
  const strangers = [...byId].filter(([key]) => !keys.has(key)).map(([, row]) => row.get('sample_id')!);
  if (strangers.length > 0) {
    const shown = `${counts}${twice}; no sample has the id ${shownIds(strangers.map(pythonRepr))}`;
    const isText = strangers.some((id) => typeof id === 'string');
    throw problem(shown, isText ? 'write ids as integers' : 'remove them or give their annotation');
  }
  if (partial && repeated.length > 0) throw problem(`${counts}${twice}`, 'keep one prediction a sample');
  if (partial) return;
  if (missing.length > 0) {
    const fix = 'predict the rest, or score what is there with --partial';
    throw problem(`${counts}${twice}; none of ${shownIds(missing)}`, fix);
  }
  if (rows.length !== samples.length) throw problem(`${counts}${twice}`, 'keep one prediction a sample');
}

/**
 * Joins predictions and annotation as `evaluate.py` does: a prediction with the id n belongs to the sample whose
 * `int(sample_id)` is n; it receives the sample's `choice_list` (multiple choice only), `image_quantity_level` and
 * images, in this order.
 * Throws a `UserError` naming file and sample where the script stops: counts that differ (unless `partial`), samples
 * without a prediction, predictions without a sample, fields that are missing.
 */
export function pairPredictions(input: EvaluationInput): PairedPredictions {
  const { predictions, annotation, files, metric } = input;
  const dicts = readFields(z.array(pythonDictSchema), {
    value: predictions,
    where: files.predictions,
    fix: 'give a list of predictions, as generate.py writes it',
  });
  const { data } = readFields(z.object({ data: z.array(pythonValueSchema) }), {
    value: annotation,
    where: files.annotation,
    fix: 'give an annotation of MileBench',
  });
  const predicted = rowsById(dicts, files.predictions);
  const samples = data.map((sample, index) => readSample(sample, index, input));
  checkCounts(predicted, samples, input);
  for (const { id, level, images, choices } of samples) {
    const row = predicted.byId.get(intKey(id));
    if (row === undefined) continue;
    if (metric === 'accuracy') row.set('choice_list', choices);
    row.set('image_quantity_level', level).set('image', images);
  }
  return { rows: predicted.rows, samples: samples.length };
}
