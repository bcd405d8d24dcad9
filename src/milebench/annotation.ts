import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { pythonStr } from '../core/python-format.js';
import {
  isPythonInt,
  type PythonNumber,
  type PythonValue,
  pythonNumberSource,
} from '../core/python-value.js';
import { type QuantityLevel, quantityLevel } from './quantity-level.js';
import { findInstruction, type TaskInstructions, taskInstructionsSchema } from './task-instructions.js';

/** MileBench has 6,440 samples in all; the bound only keeps a broken file from filling the memory. */
export const mostSamples = 1_000_000;

/** MileBench has at most 109 images and some 30 choices a sample. */
export const mostNames = 4096;

/** One question of a dataset, with Python's text of whatever the file holds as response and choices. */
export interface Sample {
  readonly sampleId: string;
  readonly taskInstructionId: number | string;
  /** References `{image#k}` and `{table#k}` stand for the k-th image, counted from 1. */
  readonly context: string;
  /** Relative to the dataset's folder of images. */
  readonly imageNames: readonly string[];
  /** `combined_N_images` by N. */
  readonly combinedImageNames: ReadonlyMap<number, readonly string[]>;
  /** `null` for open questions. */
  readonly choices: readonly string[] | null;
  readonly response: string;
  readonly quantityLevel: QuantityLevel;
}

export interface SampleFailure {
  /** The sample's id, or its place (`#3`, counted from 0) when it has none. */
  readonly sampleId: string;
  readonly error: UserError;
}

/** A dataset as read: samples that can be run, and those that cannot, each with the reason. */
export interface Annotation {
  readonly taskInstructions: TaskInstructions;
  /** `multi-choice`, `open-ended` or what else the file says; `null` when it says nothing. */
  readonly questionType: string | null;
  readonly samples: readonly Sample[];
  readonly failures: readonly SampleFailure[];
}

/** An integer beyond what JavaScript's numbers hold exactly: its digits. */
const longIntegerSchema = z
  .custom<PythonNumber>(
    (value) => pythonNumberSource(value as PythonValue) !== null && isPythonInt(value as PythonValue),
  )
  .transform((value) => pythonNumberSource(value)!);
export const idSchema = z.union(
  [z.int(), z.string().min(1), longIntegerSchema],
  'expected an integer or a string',
);
const pythonValueSchema = z.custom<PythonValue>((value) => value !== undefined, 'is missing');
const namesSchema = z.array(z.string().min(1)).max(mostNames);

const taskInstanceSchema = z.looseObject({
  context: z.string(),
  images_path: namesSchema,
  choice_list: z.array(pythonValueSchema).max(mostNames).nullish(),
});

const sampleSchema = z.object({
  sample_id: idSchema,
  task_instruction_id: idSchema,
  task_instance: taskInstanceSchema,
  response: pythonValueSchema,
});

const annotationSchema = z.object({
  meta_data: z.object({
    task_instruction: taskInstructionsSchema,
    question_type: z.string().nullish(),
  }),
  data: z.array(z.unknown()).max(mostSamples),
});

/** Fields such as `combined_1_images`. */
export const combinedField = /^combined_([1-9]\d{0,3})_images$/;

type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: UserError };

function check<Schema extends z.ZodType>(
  schema: Schema,
  { value, where, prefix }: { readonly value: unknown; readonly where: string; readonly prefix: string },
): ReadResult<z.infer<Schema>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  const field = [prefix, ...(issue?.path ?? [])].filter((part) => part !== '').join('.');
  const error = new UserError({
    what: issue?.message ?? 'does not fit the format',
    where: field === '' ? where : `${where}, field ${field}`,
    fix: 'correct the annotation',
  });
  return { ok: false, error };
}

const namedSchema = z.object({ sample_id: idSchema });

/** Identifier for messages, whatever else is wrong with the sample. */
function nameOf(raw: unknown, index: number): string {
  const named = namedSchema.safeParse(raw);
  return named.success ? String(named.data.sample_id) : `#${index}`;
}

/** Checks one entry of `data`. `where` names file and sample in the error. */
export function readSample(raw: unknown, where: string): ReadResult<Sample> {
  const parsed = check(sampleSchema, { value: raw, where, prefix: '' });
  if (!parsed.ok) return parsed;
  const { sample_id, task_instruction_id, task_instance, response } = parsed.value;
  const combinedImageNames = new Map<number, readonly string[]>();
  for (const [field, value] of Object.entries(task_instance)) {
    const count = combinedField.exec(field)?.[1];
    if (count === undefined) continue;
    const names = check(namesSchema, { value, where, prefix: `task_instance.${field}` });
    if (!names.ok) return names;
    combinedImageNames.set(Number(count), names.value);
  }
  return {
    ok: true,
    value: {
      sampleId: String(sample_id),
      taskInstructionId: task_instruction_id,
      context: task_instance.context,
      imageNames: task_instance.images_path,
      combinedImageNames,
      choices: task_instance.choice_list?.map(pythonStr) ?? null,
      response: pythonStr(response),
      quantityLevel: quantityLevel(task_instance.images_path.length),
    },
  };
}

/**
 * Checks the parsed JSON of `<Dataset>/<Dataset>.json`. A sample that does not fit, has an id that was used before, or
 * asks for a task instruction that is not there becomes a failure and leaves the others alone.
 * Throws a `UserError` naming file and field when the file as a whole does not fit.
 */
export function readAnnotation(json: unknown, file: string): Annotation {
  const parsed = check(annotationSchema, { value: json, where: file, prefix: '' });
  if (!parsed.ok) throw parsed.error;
  const { meta_data, data } = parsed.value;
  const samples: Sample[] = [];
  const failures: SampleFailure[] = [];
  const seen = new Set<string>();
  for (const [index, raw] of data.entries()) {
    const sampleId = nameOf(raw, index);
    const where = `${file}, sample ${sampleId}`;
    const sample = readSample(raw, where);
    if (!sample.ok) {
      failures.push({ sampleId, error: sample.error });
    } else if (seen.has(sampleId)) {
      const what = 'the id is used by an earlier sample';
      const error = new UserError({
        what,
        where: `${where}, field sample_id`,
        fix: 'give it an id of its own',
      });
      failures.push({ sampleId, error });
    } else if (findInstruction(meta_data.task_instruction, sample.value.taskInstructionId) === undefined) {
      const what = `there is no task instruction ${JSON.stringify(sample.value.taskInstructionId)}`;
      const fix = 'use one of meta_data.task_instruction';
      const error = new UserError({ what, where: `${where}, field task_instruction_id`, fix });
      failures.push({ sampleId, error });
    } else {
      samples.push(sample.value);
    }
    seen.add(sampleId);
  }
  return {
    taskInstructions: meta_data.task_instruction,
    questionType: meta_data.question_type ?? null,
    samples,
    failures,
  };
}
