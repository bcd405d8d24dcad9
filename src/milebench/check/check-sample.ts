import { pythonStr } from '../../core/python-format.js';
import type { PythonDict, PythonValue } from '../../core/python-value.js';
import { combinedField } from '../annotation.js';
import { combinePlan } from '../combine-plan.js';
import { quantityLevel, quantityLevels } from '../quantity-level.js';
import { findInstruction, type TaskInstructions } from '../task-instructions.js';
import {
  checkChoices,
  checkChosenResponse,
  checkOpenResponse,
  choiceField,
  type NormaliseAnswer,
} from './check-choices.js';
import { findReferenceFaults } from './check-references.js';
import { describeJson } from './describe-json.js';
import type { FoundProblem, Report } from './problem-list.js';
import { anything, dict, id, name, readField, shortList, text } from './read-field.js';
import { officialSampleId } from './sample-id.js';

/** A name of an image and where it is asked for. */
export interface ImageReference {
  readonly sampleId: string;
  readonly field: string;
  /** `images`, or the folder of combined pictures; both lie in the dataset's folder. */
  readonly folder: string;
  readonly name: string;
}

/** What the samples of a dataset are judged by. */
export interface SampleRules {
  readonly dataset: string;
  /** `null` when nothing says which it is. */
  readonly metric: string | null;
  /** `null` when they cannot be read. */
  readonly taskInstructions: TaskInstructions | null;
  readonly normaliseAnswer: NormaliseAnswer;
}

/** Finds every fault of a dataset's samples, one after the other. */
export interface SampleChecker {
  /** Reports every fault of the entry at `index` of `data`, and gives the images it names. */
  check(raw: PythonValue, index: number): readonly ImageReference[];
}

/** The checker remembers the ids it has seen. */
export function createSampleChecker(rules: SampleRules, report: Report): SampleChecker {
  const seen = new Map<string, string>();
  return {
    check(raw, index) {
      const label = labelOf(raw, index);
      const images: ImageReference[] = [];
      const reportHere = (problem: FoundProblem): void => report({ ...problem, sampleId: label });
      const sample = readField(raw, { type: dict, kind: 'sample-shape', report: reportHere });
      if (sample === undefined) return images;
      const addImage = (folder: string, field: string, image: string): void => {
        images.push({ sampleId: label, field, folder, name: image });
      };
      checkId(sample['sample_id'], { label, seen, report: reportHere });
      checkInstruction(sample['task_instruction_id'], { rules, report: reportHere });
      checkBody(sample, { label, rules, report: reportHere, addImage });
      return images;
    },
  };
}

type AddImage = (folder: string, field: string, image: string) => void;

interface Scope {
  /** The sample's name in messages. */
  readonly label: string;
  readonly rules: SampleRules;
  readonly report: Report;
  readonly addImage: AddImage;
}

function labelOf(raw: PythonValue, index: number): string {
  const sample = dict.schema.safeParse(raw);
  const found = sample.success ? id.schema.safeParse(sample.data['sample_id']) : null;
  return found?.success ? String(found.data) : `#${index}`;
}

function checkId(
  raw: PythonValue | undefined,
  {
    label,
    seen,
    report,
  }: { readonly label: string; readonly seen: Map<string, string>; readonly report: Report },
): void {
  const field = 'sample_id';
  const found = readField(raw, { type: id, kind: 'sample-id', field, report });
  if (found === undefined) return;
  const official = officialSampleId(found);
  if (official === null) {
    const what = `the official scorer cannot read ${describeJson(found)} as an integer`;
    report({ kind: 'sample-id', field, what });
  }
  const key = official ?? `text ${label}`;
  const earlier = seen.get(key);
  if (earlier === undefined) seen.set(key, label);
  else {
    const same = earlier === label ? '' : ` (${JSON.stringify(earlier)} is the same integer)`;
    report({ kind: 'sample-id-duplicate', field, what: `the id is used by an earlier sample${same}` });
  }
}

function checkInstruction(
  raw: PythonValue | undefined,
  { rules, report }: { readonly rules: SampleRules; readonly report: Report },
): void {
  const field = 'task_instruction_id';
  const found = readField(raw, { type: id, kind: 'instruction-id', field, report });
  if (found === undefined || rules.taskInstructions === null) return;
  if (findInstruction(rules.taskInstructions, found) !== undefined) return;
  report({ kind: 'instruction-id', field, what: `there is no task instruction ${JSON.stringify(found)}` });
}

function checkBody(sample: PythonDict, scope: Scope): void {
  const { rules, report } = scope;
  const field = 'task_instance';
  const instance = readField(sample['task_instance'], { type: dict, kind: 'sample-shape', field, report });
  const response = readField(sample['response'], {
    ...{ type: anything, kind: 'response', field: 'response', report },
  });
  if (instance === undefined) return;
  const context = readField(instance['context'], {
    ...{ type: text, kind: 'context', field: 'task_instance.context', report },
  });
  const images = readImageNames(instance['images_path'], scope);
  const choices = readChoices(instance, scope);
  if (context !== undefined && images !== undefined && choices !== undefined)
    checkReferences({ context, choices: choices ?? [], images: images.length, report });
  if (response !== undefined) {
    if (rules.metric !== 'accuracy') checkOpenResponse(response, { ...rules, report });
    else if (choices !== undefined && choices !== null && choices.length > 0)
      checkChosenResponse(response, { choices, normaliseAnswer: rules.normaliseAnswer, report });
  }
  if (images !== undefined) checkLevel(sample, images.length, report);
  for (const [entry, value] of Object.entries(instance))
    if (combinedField.test(entry)) checkCombined(value, { entry, images, scope });
}

/** A list of names of the right length; those that are no names are reported and stand as `null`. */
function readNames(
  raw: PythonValue | undefined,
  { field, kind, report }: { field: string; kind: 'images-path' | 'combined-images'; report: Report },
): (string | null)[] | undefined {
  const entries = readField(raw, { type: shortList, kind, field, report });
  return entries?.map(
    (entry, index) => readField(entry, { type: name, kind, field: `${field}.${index}`, report }) ?? null,
  );
}

function readImageNames(
  raw: PythonValue | undefined,
  { report, addImage }: Scope,
): (string | null)[] | undefined {
  const field = 'task_instance.images_path';
  const names = readNames(raw, { field, kind: 'images-path', report });
  if (names?.length === 0) {
    const what = 'there is no image, and the official pipeline divides by their number';
    report({ kind: 'images-path', field, what });
  }
  for (const [index, image] of names?.entries() ?? [])
    if (image !== null) addImage('images', `${field}.${index}`, image);
  return names;
}

/** The choices, `null` when the sample rightly has none, `undefined` when they are not what they should be. */
function readChoices(
  instance: PythonDict,
  { rules, report }: Scope,
): readonly PythonValue[] | null | undefined {
  const raw = instance['choice_list'];
  if (raw === undefined && rules.metric !== 'accuracy') return null;
  const choices = readField(raw, { type: shortList, kind: 'choice-list', field: choiceField, report });
  if (choices !== undefined) checkChoices(choices, { ...rules, report });
  return choices;
}

function checkReferences({
  context,
  choices,
  images,
  report,
}: {
  readonly context: string;
  readonly choices: readonly PythonValue[];
  readonly images: number;
  readonly report: Report;
}): void {
  const field = 'task_instance.context';
  // The official code fills in references after it has appended the choices.
  const whole = [context, ...choices.map(pythonStr)].join('\n');
  const { beyond, places, misplaced } = findReferenceFaults({ text: whole, images });
  if (beyond.length > 0) {
    const what = `refers to ${[...new Set(beyond)].join(', ')}, but the sample has ${images} images`;
    report({ kind: 'reference-beyond', field, what });
  }
  if (places !== null) {
    const effect =
      places < images
        ? 'the official pipeline puts one more in front and drops the other images'
        : 'the first of them stay without image';
    report({ kind: 'places-differ', field, what: `has ${places} places for ${images} images; ${effect}` });
  }
  if (misplaced !== null) {
    const { place, named } = misplaced;
    const what = `place ${place} names image ${named}, but images attach in the order of images_path`;
    report({ kind: 'places-order', field, what });
  }
}

function checkLevel(sample: PythonDict, images: number, report: Report): void {
  const field = 'image_quantity_level';
  const level = sample[field];
  const counted = quantityLevel(images);
  if (level === counted) return;
  if (level === undefined) {
    report({ kind: 'quantity-level', field, what: 'is missing, and the official scorer requires it' });
  } else if (quantityLevels.some((known) => known === level)) {
    const what = `is ${JSON.stringify(level)}, but ${images} images are ${JSON.stringify(counted)}`;
    report({ kind: 'quantity-level-differs', field, what });
  } else {
    report({ kind: 'quantity-level-differs', field, what: `${describeJson(level)} is no level` });
  }
}

function checkCombined(
  raw: PythonValue,
  {
    entry,
    images,
    scope,
  }: {
    readonly entry: string;
    readonly images: readonly (string | null)[] | undefined;
    readonly scope: Scope;
  },
): void {
  const { label, report, addImage } = scope;
  const field = `task_instance.${entry}`;
  const names = readNames(raw, { field, kind: 'combined-images', report });
  if (names === undefined) return;
  for (const [index, picture] of names.entries())
    if (picture !== null) addImage(entry, `${field}.${index}`, picture);
  if (images === undefined) return;
  const pictures = Number(combinedField.exec(entry)?.[1]);
  const planned = combinePlan({ sampleId: label, images: images.map(String), pictures }).files.length;
  if (names.length === planned) return;
  const what = `names ${names.length} pictures, but ${images.length} images are combined into ${planned}`;
  report({ kind: 'combined-images', field, what });
}
