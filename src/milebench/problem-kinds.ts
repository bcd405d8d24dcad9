import { describeProblem } from '../core/errors.js';

/** What a kind of fault means for those who meet it, and what mends it. */
interface ProblemKindInfo {
  /**
   * An `error` stops `lookm` or the official scripts, loses a sample, or makes the numbers those of another dataset.
   * A `warning` is passed over by both in silence, and the numbers may not mean what they seem to.
   */
  readonly severity: 'error' | 'warning';
  readonly fix: string;
}

const unpackAgain = 'unpack or download the dataset again';

/** Every kind of fault that is looked for in a tree of datasets. */
export const problemKinds = Object.freeze({
  'no-datasets': { severity: 'error', fix: 'give a folder that holds <Dataset>/<Dataset>.json' },
  'columns-file': {
    severity: 'error',
    fix: 'write {"<Dataset>": {"column": "T-1", "metric": "accuracy"}, …}',
  },
  'metric-unknown': { severity: 'error', fix: 'name a metric that lookm has' },
  'dataset-unknown': { severity: 'error', fix: 'define its column and metric in columns.json or rename it' },
  'dataset-absent': { severity: 'warning', fix: 'add its folder or take it out of columns.json' },
  'folder-unknown': { severity: 'warning', fix: 'rename the folder after its dataset or remove it' },
  'link-outside': { severity: 'error', fix: 'put the files themselves there' },

  'annotation-missing': { severity: 'error', fix: unpackAgain },
  'annotation-size': { severity: 'error', fix: 'split the dataset' },
  'annotation-encoding': { severity: 'error', fix: 'save it as UTF-8 without a byte order mark' },
  'annotation-json': { severity: 'error', fix: unpackAgain },
  'annotation-shape': { severity: 'error', fix: 'write {"meta_data": {…}, "data": […]}' },
  'task-instruction': { severity: 'error', fix: 'list the instructions as texts' },
  'question-type': { severity: 'error', fix: 'write "multi-choice" or "open-ended"' },
  'metric-contradicted': { severity: 'error', fix: 'correct it or redefine the dataset in columns.json' },
  'metric-differs': { severity: 'warning', fix: 'compare only with scores of the same metric' },
  'sample-count': { severity: 'error', fix: `correct it or ${unpackAgain}` },
  'sample-count-missing': { severity: 'warning', fix: 'write the number of samples' },
  'dataset-name': { severity: 'warning', fix: 'check that the file lies in the right folder' },

  'sample-shape': { severity: 'error', fix: 'write an object' },
  'sample-id': { severity: 'error', fix: 'give it an integer' },
  'sample-id-duplicate': { severity: 'error', fix: 'give it an id of its own' },
  'instruction-id': { severity: 'error', fix: 'use one of meta_data.task_instruction' },
  context: { severity: 'error', fix: 'write the question as a text' },
  'images-path': { severity: 'error', fix: 'list the names of the images' },
  'choice-list': { severity: 'error', fix: 'list the choices as texts, one of them the response' },
  'choices-equal': { severity: 'warning', fix: 'make the choices differ' },
  'choices-past-z': { severity: 'warning', fix: 'list at most 26 choices' },
  response: { severity: 'error', fix: 'write the reference answer' },
  'response-no-choice': { severity: 'error', fix: 'write the text of one entry of choice_list' },
  'response-unmatchable': { severity: 'warning', fix: 'make the answer one word' },
  'quantity-level': { severity: 'error', fix: 'write "Few", "Medium" or "Many"' },
  'quantity-level-differs': { severity: 'warning', fix: 'correct it; scores go by the number of images' },
  'reference-beyond': { severity: 'warning', fix: 'refer to images from 1 to their number' },
  'places-differ': { severity: 'warning', fix: 'refer to every image once' },
  'places-order': { severity: 'warning', fix: 'list the images in the order of the text' },
  'combined-images': { severity: 'error', fix: 'combine the images again' },

  'image-folder': { severity: 'error', fix: 'unpack the images of the dataset there' },
  'image-unavailable': { severity: 'error', fix: "name a file in the dataset's folder of images" },
  'image-damaged': { severity: 'error', fix: 'replace the file' },
} as const satisfies Record<string, ProblemKindInfo>);

export type ProblemKind = keyof typeof problemKinds;

/** One fault of a tree and its place. */
export interface TreeProblem {
  readonly kind: ProblemKind;
  readonly severity: ProblemKindInfo['severity'];
  /** Folder name; `null` for what belongs to the root. */
  readonly dataset: string | null;
  /** Relative to the root, with `/` between the parts. */
  readonly file: string;
  /** The sample's id, or its place (`#3`, counted from 0) when it has none. */
  readonly sampleId: string | null;
  /** Path of names and positions within the sample, or within the file where there is no sample. */
  readonly field: string | null;
  readonly what: string;
  readonly fix: string;
}

/** One line: `file, sample, field: what; fix`. */
export function describeTreeProblem({ file, sampleId, field, what, fix }: TreeProblem): string {
  const sample = sampleId === null ? '' : `, sample ${sampleId}`;
  const where = `${file}${sample}${field === null ? '' : `, field ${field}`}`;
  return describeProblem({ what, where, fix });
}
