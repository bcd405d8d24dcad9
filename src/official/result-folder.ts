import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { nearMatches } from '../core/near-matches.js';

export const predictionsName = 'pred.json';
export const summaryName = 'eval.json';

/** One model's predictions: `<directory>/<Dataset>/pred.json`. */
export interface ModelFolder {
  readonly model: string;
  readonly directory: string;
  /** Datasets with predictions, by name. */
  readonly predicted: readonly string[];
}

/** A folder of results as MileBench lays them out. */
export interface ResultFolder {
  /** `root` holds `<model>/<Dataset>/pred.json`, `model` holds `<Dataset>/pred.json`. */
  readonly kind: 'root' | 'model';
  /** Where `result.json` and `result.csv` go. */
  readonly directory: string;
  readonly models: readonly ModelFolder[];
}

async function foldersIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    const what = `the folder of predictions cannot be read (${messageOf(cause)})`;
    throw new UserError({ what, where: directory, fix: 'give a folder' }, { cause });
  });
  const folders: string[] = [];
  for (const name of names.sort()) {
    const entry = await stat(path.join(directory, name)).catch(() => null);
    if (entry?.isDirectory()) folders.push(name);
  }
  return folders;
}

/** The model of a folder, `null` when no folder in it holds predictions or scores. */
async function readModelFolder(directory: string): Promise<ModelFolder | null> {
  const predicted: string[] = [];
  let isScored = false;
  for (const dataset of await foldersIn(directory)) {
    const has = (name: string) => fileExists(path.join(directory, dataset, name));
    if (await has(predictionsName)) predicted.push(dataset);
    else if (await has(summaryName)) isScored = true;
  }
  if (predicted.length === 0 && !isScored) return null;
  return { model: path.basename(path.resolve(directory)), directory, predicted };
}

/** The folder's layout and its models by name; `null` when it holds no predictions in either layout. */
export async function findResultFolder(directory: string): Promise<ResultFolder | null> {
  const own = await readModelFolder(directory);
  if (own !== null) return { kind: 'model', directory, models: [own] };
  const models: ModelFolder[] = [];
  for (const name of await foldersIn(directory)) {
    const found = await readModelFolder(path.join(directory, name));
    if (found !== null) models.push(found);
  }
  return models.length === 0 ? null : { kind: 'root', directory, models };
}

/**
 * The named models in the order of the names, which is the order of `result.json`.
 * Throws a `UserError` for a name that has no folder.
 */
export function chooseModels(folder: ResultFolder, names: readonly string[]): ResultFolder {
  const known = folder.models.map(({ model }) => model);
  const models = names.map((name) => {
    const found = folder.models.find(({ model }) => model === name);
    if (found !== undefined) return found;
    const near = nearMatches(name, known);
    throw new UserError({
      what: `there are no predictions of a model ${JSON.stringify(name)}`,
      where: folder.directory,
      fix: `name ${(near.length > 0 ? near : known).join(' or ')}`,
    });
  });
  return { ...folder, models: [...new Set(models)] };
}
