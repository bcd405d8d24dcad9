import { stat } from 'node:fs/promises';
import path from 'node:path';
import { nearMatches } from '../../core/near-matches.js';
import { dictEntries, type PythonValue } from '../../core/python-value.js';
import { readAnnotationSource } from '../annotation-source.js';
import { columnsFileName, datasetNameSchema } from '../columns-file.js';
import { type DatasetDefinition, officialDatasets } from '../taxonomy.js';
import type { ProblemList, Report } from './problem-list.js';
import { dict, name as nameType, readField } from './read-field.js';

/** What a dataset is to be scored by, and who says so. */
export interface KnownDefinition extends DatasetDefinition {
  readonly definedBy: 'taxonomy' | 'columns file';
}

/** What is known about the datasets of a root. */
export interface KnownDatasets {
  readonly definitions: ReadonlyMap<string, KnownDefinition>;
  /** Every name that is defined, however badly: official ones, then those of the columns file. */
  readonly order: readonly string[];
  /** Names in the columns file. */
  readonly inColumnsFile: readonly string[];
  /** `false` when the columns file cannot be read: any folder may be defined in it. */
  readonly isComplete: boolean;
}

/** Reports every fault of the columns file of a root, if there is one, and gives what can be read of it. */
export async function checkColumnsFile({
  root,
  metrics,
  problems,
}: {
  readonly root: string;
  readonly metrics: readonly string[];
  readonly problems: ProblemList;
}): Promise<KnownDatasets> {
  const definitions = new Map<string, KnownDefinition>();
  for (const [name, { column, metric }] of Object.entries(officialDatasets))
    definitions.set(name, { column, metric, definedBy: 'taxonomy' });
  const official = [...definitions.keys()];
  const file = path.join(root, columnsFileName);
  if ((await stat(file).catch(() => null)) === null)
    return { definitions, order: official, inColumnsFile: [], isComplete: true };
  const report = problems.of({ dataset: null, file: columnsFileName });
  const source = await readAnnotationSource(file);
  if (!source.ok) {
    report({ kind: 'columns-file', what: source.what });
    return { definitions, order: official, inColumnsFile: [], isComplete: false };
  }
  const entries = readField(source.json, { type: dict, kind: 'columns-file', report });
  const inColumnsFile: string[] = [];
  for (const [name, entry] of entries === undefined ? [] : dictEntries(entries)) {
    const definition = readDefinition(entry, { name, metrics, report });
    if (!datasetNameSchema.safeParse(name).success) {
      const what = 'the name must be a folder name of letters, digits, . _ -';
      report({ kind: 'columns-file', field: name, what });
      continue;
    }
    inColumnsFile.push(name);
    if (definition !== null) definitions.set(name, { ...definition, definedBy: 'columns file' });
  }
  const order = [...new Set([...official, ...inColumnsFile])];
  return { definitions, order, inColumnsFile, isComplete: entries !== undefined };
}

function readDefinition(
  raw: PythonValue,
  {
    name,
    metrics,
    report,
  }: { readonly name: string; readonly metrics: readonly string[]; readonly report: Report },
): DatasetDefinition | null {
  const kind = 'columns-file';
  const entry = readField(raw, { type: dict, kind, field: name, report });
  if (entry === undefined) return null;
  const column = readField(entry['column'], { type: nameType, kind, field: `${name}.column`, report });
  const metric = readField(entry['metric'], { type: nameType, kind, field: `${name}.metric`, report });
  if (column === undefined || metric === undefined) return null;
  if (!metrics.includes(metric)) {
    const near = nearMatches(metric, metrics);
    const hint = `(${(near.length > 0 ? near : metrics).join(' or ')}?)`;
    const what = `there is no metric ${JSON.stringify(metric)} ${hint}`;
    report({ kind: 'metric-unknown', field: `${name}.metric`, what });
  }
  return { column, metric };
}
