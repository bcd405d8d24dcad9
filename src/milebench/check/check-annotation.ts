import { z } from 'zod';
import type { PythonDict, PythonValue } from '../../core/python-value.js';
import { mostSamples } from '../annotation.js';
import { type TaskInstructions, taskInstructionsSchema } from '../task-instructions.js';
import { officialMetric } from '../taxonomy.js';
import type { NormaliseAnswer } from './check-choices.js';
import { createSampleChecker, type ImageReference } from './check-sample.js';
import { describeJson } from './describe-json.js';
import type { Report } from './problem-list.js';
import { dict, type FieldType, readField, text } from './read-field.js';

/** Where a dataset's metric comes from. `null` when nothing defines the dataset. */
export type MetricSource = {
  readonly metric: string;
  readonly definedBy: 'taxonomy' | 'columns file';
} | null;

const entries: FieldType<readonly PythonValue[]> = {
  schema: z.array(z.custom<PythonValue>(() => true)).max(mostSamples),
  expected: `a list of at most ${mostSamples} samples`,
};
const instructions: FieldType<TaskInstructions> = {
  schema: taskInstructionsSchema,
  expected: 'a list or an object of texts',
};

/** What a dataset's annotation asks for, as far as it can be read. */
export interface CheckedAnnotation {
  readonly samples: number;
  readonly images: readonly ImageReference[];
}

/** Reports every fault of a parsed annotation that can be told without its images. */
export function checkAnnotation(
  json: PythonValue,
  {
    dataset,
    source,
    normaliseAnswer,
    report,
  }: {
    readonly dataset: string;
    readonly source: MetricSource;
    readonly normaliseAnswer: NormaliseAnswer;
    readonly report: Report;
  },
): CheckedAnnotation {
  const kind = 'annotation-shape';
  const file = readField(json, { type: dict, kind, report });
  if (file === undefined) return { samples: 0, images: [] };
  const metadata = readField(file['meta_data'], { type: dict, kind, field: 'meta_data', report });
  const data = readField(file['data'], { type: entries, kind, field: 'data', report });
  if (data?.length === 0) report({ kind, field: 'data', what: 'there is no sample in the list' });
  const known =
    metadata === undefined ? null : checkMetadata(metadata, { dataset, source, samples: data, report });
  const rules = {
    dataset,
    metric: source?.metric ?? known?.metric ?? null,
    taskInstructions: known?.taskInstructions ?? null,
    normaliseAnswer,
  };
  const checker = createSampleChecker(rules, report);
  const images: ImageReference[] = [];
  for (const [index, sample] of (data ?? []).entries())
    for (const image of checker.check(sample, index)) images.push(image);
  return { samples: data?.length ?? 0, images };
}

interface KnownMetadata {
  readonly taskInstructions: TaskInstructions | null;
  /** What the official scorer would compute; `null` when it refuses. */
  readonly metric: string | null;
}

interface MetadataScope {
  readonly dataset: string;
  readonly source: MetricSource;
  /** `undefined` when there is no list of them. */
  readonly samples: readonly PythonValue[] | undefined;
  readonly report: Report;
}

function checkMetadata(metadata: PythonDict, scope: MetadataScope): KnownMetadata {
  const { dataset, samples, report } = scope;
  const field = 'meta_data.task_instruction';
  const taskInstructions = readField(metadata['task_instruction'], {
    ...{ type: instructions, kind: 'task-instruction', field, report },
  });
  const hasNone = taskInstructions !== undefined && Object.keys(taskInstructions).length === 0;
  if (hasNone) report({ kind: 'task-instruction', field, what: 'there is no instruction' });
  if (samples !== undefined) checkSampleCount(metadata['num_sample'], samples.length, report);
  const name = metadata['dataset'];
  if (name !== undefined && name !== dataset) {
    const what = `names ${describeJson(name)}, but the folder is ${JSON.stringify(dataset)}`;
    report({ kind: 'dataset-name', field: 'meta_data.dataset', what });
  }
  return {
    taskInstructions: hasNone ? null : (taskInstructions ?? null),
    metric: checkQuestionType(metadata['question_type'], scope),
  };
}

/** The count is a number or, as in other collections of this format, its digits. */
const countSchema = z.union([z.int().nonnegative(), z.string().regex(/^\d{1,9}$/)]);

function checkSampleCount(raw: PythonValue | undefined, samples: number, report: Report): void {
  const field = 'meta_data.num_sample';
  if (raw === undefined) {
    report({ kind: 'sample-count-missing', field, what: `is missing, and data has ${samples} samples` });
    return;
  }
  const count = countSchema.safeParse(raw);
  if (count.success && Number(count.data) === samples) return;
  report({ kind: 'sample-count', field, what: `is ${describeJson(raw)}, but data has ${samples} samples` });
}

/** The metric the official scorer computes, `null` when it refuses; contradictions are reported. */
function checkQuestionType(
  raw: PythonValue | undefined,
  { dataset, source, report }: MetadataScope,
): string | null {
  const field = 'meta_data.question_type';
  const questionType = readField(raw, { type: text, kind: 'question-type', field, report });
  if (questionType === undefined) return null;
  const official = officialMetric({ dataset, questionType });
  if (official === null) {
    const what = `the official scorer does not know ${describeJson(questionType)}`;
    report({ kind: 'question-type', field, what });
  } else if (source !== null && official !== source.metric) {
    const what = `${describeJson(questionType)} is scored by ${official}, and the dataset's metric is ${source.metric}`;
    const kind = source.definedBy === 'taxonomy' ? 'metric-contradicted' : 'metric-differs';
    report({ kind, field, what });
  }
  return official;
}
