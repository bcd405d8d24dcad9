import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DraftDataset, DraftSample } from './tree-drafts.js';

/** Where a dataset lies on the disk. */
export interface Place {
  readonly root: string;
  readonly folder: string;
  readonly annotation: string;
  readonly images: string;
}

/** A way to break a healthy dataset of the samples 1, 2 and 3, and everything that must be said about it. */
export interface Fault {
  /** An official name where the definition matters; else the test chooses one and puts it in columns.json. */
  readonly dataset?: string;
  readonly metric?: DraftDataset['metric'];
  readonly edit?: (annotation: DraftDataset['annotation'], second: DraftSample) => void;
  readonly disk?: (place: Place) => Promise<unknown>;
  /** Lines, with `@` for the dataset's name and `@json` for its annotation, `@json#2` for sample 2 of it. */
  readonly lines: readonly string[];
}

export const inSecond = (change: (second: DraftSample) => void): Pick<Fault, 'edit'> => ({
  edit: (_, second) => change(second),
});
export const instance = (changes: Readonly<Record<string, unknown>>): Pick<Fault, 'edit'> =>
  inSecond((second) => Object.assign(second.task_instance, changes));
export const field = (name: string, value: unknown): Pick<Fault, 'edit'> =>
  inSecond((second) => {
    second[name] = value;
  });
export const metadata = (name: string, value: unknown): Pick<Fault, 'edit'> => ({
  edit: ({ meta_data }) => {
    meta_data[name] = value;
  },
});
export const onAnnotation = (change: (text: string) => string | Buffer): Pick<Fault, 'disk'> => ({
  disk: async ({ annotation }) => writeFile(annotation, change(await readFile(annotation, 'utf8'))),
});
export const secondImage = (
  change: (image: string, place: Place) => Promise<unknown>,
): Pick<Fault, 'disk'> => ({
  disk: (place) => change(path.join(place.images, '2_1.jpg'), place),
});
export const choices = 'task_instance.choice_list';
export const paths = 'task_instance.images_path';
export const context = 'task_instance.context';

/** Ways to break a dataset by what they are called. */
export type Faults = Readonly<Record<string, Fault>>;
