/** What the official scorer can compute for a dataset. */
export type OfficialMetric = 'accuracy' | 'rouge-l' | 'needle';

/** Where a dataset's score belongs and how it is computed. */
export interface DatasetDefinition {
  /** Column of the accuracy table; a column is the mean over its datasets' scores. */
  readonly column: string;
  /** Name of a metric in scoring's registry. */
  readonly metric: string;
}

const accuracy = 'accuracy' satisfies OfficialMetric;
const rougeL = 'rouge-l' satisfies OfficialMetric;
const needle = 'needle' satisfies OfficialMetric;

/**
 * The 29 datasets of MileBench in the order of the paper's columns.
 * Columns: LOOK-M paper, tables 1 and 5. Metrics: what `evaluate.py` dispatches to (see `officialMetric`).
 */
export const officialDatasets = Object.freeze({
  ActionLocalization: { column: 'T-1', metric: accuracy },
  ActionPrediction: { column: 'T-1', metric: accuracy },
  ActionSequence: { column: 'T-1', metric: accuracy },
  ObjectExistence: { column: 'T-2', metric: accuracy },
  ObjectInteraction: { column: 'T-2', metric: accuracy },
  MovingAttribute: { column: 'T-2', metric: accuracy },
  ObjectShuffle: { column: 'T-2', metric: accuracy },
  EgocentricNavigation: { column: 'T-3', metric: accuracy },
  MovingDirection: { column: 'T-3', metric: accuracy },
  CounterfactualInference: { column: 'T-4', metric: accuracy },
  StateChange: { column: 'T-4', metric: accuracy },
  CharacterOrder: { column: 'T-4', metric: accuracy },
  SceneTransition: { column: 'T-4', metric: accuracy },
  WebQA: { column: 'S-1', metric: accuracy },
  TQA: { column: 'S-1', metric: accuracy },
  MultiModalQA: { column: 'S-1', metric: accuracy },
  WikiVQA: { column: 'S-1', metric: accuracy },
  SlideVQA: { column: 'S-2', metric: accuracy },
  'OCR-VQA': { column: 'S-2', metric: accuracy },
  DocVQA: { column: 'S-2', metric: accuracy },
  'Spot-the-Diff': { column: 'S-3', metric: rougeL },
  'CLEVR-Change': { column: 'S-3', metric: rougeL },
  IEdit: { column: 'S-3', metric: rougeL },
  MMCoQA: { column: 'S-4', metric: needle },
  ALFRED: { column: 'S-4', metric: rougeL },
  nuscenes: { column: 'S-5', metric: accuracy },
  TextNeedleInAHaystack: { column: 'NH', metric: needle },
  ImageNeedleInAHaystack: { column: 'NH', metric: needle },
  GPR1200: { column: 'IR', metric: accuracy },
} as const satisfies Record<string, DatasetDefinition>);

/**
 * Columns from left to right. N-1 and N-2 are MileBench's own names for the two needle tasks, I-1 for image retrieval;
 * the LOOK-M paper joins the first two to NH and calls the last IR.
 */
export const columnOrder = Object.freeze([
  ...['T-1', 'T-2', 'T-3', 'T-4', 'S-1', 'S-2', 'S-3', 'S-4', 'S-5'],
  ...['NH', 'N-1', 'N-2', 'IR', 'I-1'],
]);

/** Order for sorting: known columns from left to right, then unknown ones by name. */
export function compareColumns(a: string, b: string): number {
  const left = columnOrder.indexOf(a);
  const right = columnOrder.indexOf(b);
  if (left !== -1 && right !== -1) return left - right;
  if (left !== right) return left === -1 ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * How many datasets MileBench has in a column, given those at hand; `null` when one of them is not MileBench's, so that
 * the column is somebody's own.
 */
export function officialColumnSize(column: string, datasets: readonly string[]): number | null {
  const official: Readonly<Record<string, DatasetDefinition>> = officialDatasets;
  const own = datasets.every((name) => Object.hasOwn(official, name) && official[name]!.column === column);
  return own ? Object.values(official).filter((one) => one.column === column).length : null;
}

/**
 * The metric `evaluate.py` dispatches to: by name for needles and MMCoQA, else by the annotation's `question_type`.
 * `null` for a question type it refuses.
 */
export function officialMetric({
  dataset,
  questionType,
}: {
  readonly dataset: string;
  readonly questionType: string;
}): OfficialMetric | null {
  if (dataset.includes('NeedleInAHaystack') || dataset.includes('MMCoQA')) return needle;
  if (questionType === 'open-ended') return rougeL;
  if (questionType === 'multi-choice') return accuracy;
  return null;
}
