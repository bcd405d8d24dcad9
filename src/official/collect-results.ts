import { z } from 'zod';
import { roundFloat } from '../core/python-float.js';
import {
  dictEntries,
  isPythonInt,
  markNumber,
  numberOf,
  type PythonDict,
  type PythonValue,
  pythonDict,
  pythonFloat,
  pythonNumberSource,
} from '../core/python-value.js';
import { pythonDictSchema, readFields } from './read-fields.js';

/** The datasets `score.py` collects, in its order: MileBench's groups, not the paper's columns. */
export const collectedDatasets = Object.freeze({
  'Realistic Temporal': [
    'ActionLocalization',
    'ActionPrediction',
    'ActionSequence',
    'CharacterOrder',
    'CounterfactualInference',
    'EgocentricNavigation',
    'MovingAttribute',
    'MovingDirection',
    'ObjectExistence',
    'ObjectInteraction',
    'ObjectShuffle',
    'SceneTransition',
    'StateChange',
  ],
  'Realistic Semantic': [
    'ALFRED',
    'CLEVR-Change',
    'DocVQA',
    'IEdit',
    'MMCoQA',
    'MultiModalQA',
    'nuscenes',
    'OCR-VQA',
    'SlideVQA',
    'Spot-the-Diff',
    'TQA',
    'WebQA',
    'WikiVQA',
  ],
  Diagnostic: ['TextNeedleInAHaystack', 'ImageNeedleInAHaystack', 'GPR1200'],
} as const satisfies Readonly<Record<string, readonly string[]>>);

/** Content of a dataset's `eval.json` by its name. */
export type ModelSummaries = ReadonlyMap<string, PythonDict>;

/** Entries of `eval.json` that are no score of the dataset. */
const details: ReadonlySet<string> = new Set([
  'image_quantity_level-Accuracy',
  'image_quantity_level-Result',
  'Diff-Accuracy',
]);

/**
 * Checks the content of an `eval.json`: every score is a number.
 * Throws a `UserError` naming file and field; `score.py` would end its table at this model.
 */
export function readSummary(value: PythonValue, file: string): PythonDict {
  const fix = 'score the dataset again';
  const dict = readFields(pythonDictSchema, { value, where: file, fix });
  for (const [name, score] of scoresOf(dict)) {
    const isNumber = (found: PythonValue) => typeof found === 'boolean' || numberOf(found) !== null;
    readFields(
      z.custom<PythonValue>((found) => isNumber(found as PythonValue), 'is no number'),
      { value: score, where: `${file}, ${name}`, fix },
    );
  }
  return dict;
}

/** Name and value of the dataset's own scores in an `eval.json`. */
export function scoresOf(summary: PythonDict): (readonly [string, PythonValue])[] {
  return dictEntries(summary).filter(([name]) => !details.has(name));
}

/** Content of `result.json`: a model's datasets by group, `{}` for those that were not scored. */
export function collectResults(models: ReadonlyMap<string, ModelSummaries>): PythonDict {
  const none = pythonDict([]);
  const groupsOf = (summaries: ModelSummaries) =>
    Object.entries(collectedDatasets).map(
      ([group, names]) =>
        [group, pythonDict(names.map((name) => [name, summaries.get(name) ?? none]))] as const,
    );
  return pythonDict([...models].map(([model, summaries]) => [model, pythonDict(groupsOf(summaries))]));
}

/** Decimals of the percentages in `result.csv`. */
const percentDecimals = 2;

/** Python's `round(score * 100, 2)`: ints stay ints. */
export function roundedPercent(score: PythonValue): PythonValue {
  if (typeof score === 'boolean') return score ? 100 : 0;
  if (!isPythonInt(score)) return pythonFloat(roundFloat(numberOf(score)! * 100, percentDecimals));
  return typeof score === 'number' ? score * 100 : markNumber(`${BigInt(pythonNumberSource(score)!) * 100n}`);
}

/** Rows of `result.csv`: the model, then every score in percent under `Dataset (Score)`. */
export function resultRows(models: ReadonlyMap<string, ModelSummaries>): PythonDict[] {
  const names = Object.values(collectedDatasets).flat();
  return [...models].map(([model, summaries]) => {
    const scores = names.flatMap((dataset) =>
      scoresOf(summaries.get(dataset) ?? {}).map(
        ([name, score]) => [`${dataset} (${name})`, roundedPercent(score)] as const,
      ),
    );
    return pythonDict([['Model', model] as const, ...scores]);
  });
}
