import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../core/errors.js';
import { requireAnnotation } from '../annotation-source.js';
import { columnsFileName } from '../columns-file.js';
import type { TaskInfo } from '../dataset.js';
import { countLevels, type LevelCounts } from '../dataset-summary.js';
import { chooseSubset, type SubsetRule, subsetRuleVersion } from './choose-subset.js';
import { copyImages, imagesByFolder } from './copy-images.js';
import { cutAnnotation } from './cut-annotation.js';
import { cutColumns } from './cut-columns.js';
import { datasetFolder, openSubsetSource, type SubsetCandidate, type SubsetSource } from './subset-source.js';

/** Name of the file that says where a subset comes from. */
const subsetFileName = 'subset.json';

/** What a subset holds of one dataset. */
export interface SubsetDataset {
  readonly name: string;
  readonly column: string;
  readonly samples: number;
  /** Samples that could be chosen. */
  readonly of: number;
  /** Samples that could not, because they cannot be run. */
  readonly unusable: number;
  readonly levels: LevelCounts;
  /** Image files copied, combined pictures included. */
  readonly images: number;
  /** Combined pictures that samples name and the source lacks. */
  readonly missingPictures: number;
  /** SHA-256 of the annotation the samples come from. */
  readonly sourceSha256: string;
}

/** What `subset.json` says: enough to choose the same samples again from the same source. */
export interface SubsetProvenance {
  readonly format: 1;
  readonly ruleVersion: typeof subsetRuleVersion;
  readonly rule: SubsetRule;
  readonly tasks: 'all' | readonly string[];
  readonly samples: number;
  readonly images: number;
  readonly datasets: readonly SubsetDataset[];
}

/**
 * Writes a subset of a tree as a tree: annotations with the chosen entries as they stand, the images they name, the
 * columns file for the chosen datasets, and `subset.json`. It is built beside `out` and renamed when it is whole.
 * Datasets of which nothing is chosen have no folder.
 * Throws a `UserError` when `out` holds something or lies inside `root`, when a dataset cannot be read, and when fewer
 * samples are there than asked for.
 */
export async function writeSubset({
  root,
  out,
  tasks,
  taskNames,
  rule,
  onProgress,
}: {
  readonly root: string;
  readonly out: string;
  readonly tasks: readonly TaskInfo[];
  /** As the user asked for them. */
  readonly taskNames: 'all' | readonly string[];
  readonly rule: SubsetRule;
  readonly onProgress?: (images: {
    readonly done: number;
    readonly of: number;
    readonly dataset: string;
  }) => void;
}): Promise<SubsetProvenance> {
  await refuseTarget(out, root);
  const sources: SubsetSource[] = [];
  for (const info of tasks) sources.push(await openSubsetSource(info));
  const chosen = new Set<SubsetCandidate>(
    chooseSubset(
      sources.flatMap(({ candidates }) => candidates),
      rule,
    ),
  );
  const cuts = sources.map((source) => {
    const kept = source.candidates.filter((candidate) => chosen.has(candidate));
    return { source, kept, folders: imagesByFolder(kept.map(({ sample }) => sample)) };
  });
  const of = cuts.flatMap(({ folders }) => [...folders.values()]).reduce((sum, names) => sum + names.size, 0);

  await mkdir(path.dirname(out), { recursive: true });
  const draft = `${out}.${process.pid}.tmp`;
  await mkdir(draft);
  try {
    const datasets: SubsetDataset[] = [];
    let done = 0;
    for (const { source, kept, folders } of cuts) {
      const { name, column } = source.info;
      const onImage = (): void => onProgress?.({ done: ++done, of, dataset: name });
      const { copied, missing } = await copyImages(folders, {
        ...{ from: datasetFolder(source.info), to: path.join(draft, name), onImage },
      });
      if (kept.length > 0) await writeAnnotation(source, { kept, folder: path.join(draft, name) });
      datasets.push({
        ...{ name, column, samples: kept.length, of: source.candidates.length, unusable: source.unusable },
        levels: countLevels(kept),
        ...{ images: copied, missingPictures: missing, sourceSha256: source.sha256 },
      });
    }
    const present = datasets.filter(({ samples }) => samples > 0);
    await writeColumns(root, { draft, present });
    const images = datasets.reduce((sum, dataset) => sum + dataset.images, 0);
    const provenance: SubsetProvenance = {
      ...{ format: 1, ruleVersion: subsetRuleVersion, rule, tasks: taskNames },
      ...{ samples: chosen.size, images, datasets },
    };
    await writeFile(path.join(draft, subsetFileName), `${JSON.stringify(provenance, null, 2)}\n`);
    // Windows does not rename onto an empty folder.
    await rmdir(out).catch(() => {});
    await rename(draft, out);
    return provenance;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function refuseTarget(out: string, root: string): Promise<void> {
  const inside = path.relative(root, out);
  if (inside === '' || !(inside.startsWith('..') || path.isAbsolute(inside))) {
    const fix = 'give a folder elsewhere';
    throw new UserError({ what: 'lies inside the tree it would be taken from', where: out, fix });
  }
  const there = await stat(out).catch(() => null);
  if (there === null) return;
  if (there.isDirectory() && (await readdir(out)).length === 0) return;
  throw new UserError({ what: 'already exists', where: out, fix: 'give another --out or remove it' });
}

async function writeAnnotation(
  { info, sha256: readBefore }: SubsetSource,
  { kept, folder }: { readonly kept: readonly SubsetCandidate[]; readonly folder: string },
): Promise<void> {
  const { text, sha256: readNow } = await requireAnnotation(info.annotationFile);
  if (readNow !== readBefore) {
    const what = 'the annotation changed while the subset was written';
    throw new UserError({ what, where: info.annotationFile, fix: 'try again' });
  }
  const positions = kept.map(({ position }) => position).sort((a, b) => a - b);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${info.name}.json`), cutAnnotation(text, positions));
}

async function writeColumns(
  root: string,
  { draft, present }: { readonly draft: string; readonly present: readonly SubsetDataset[] },
): Promise<void> {
  const text = await readFile(path.join(root, columnsFileName), 'utf8').catch(() => null);
  const columns = text === null ? null : cutColumns(text, present);
  if (columns !== null) await writeFile(path.join(draft, columnsFileName), columns);
}
