import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { repositoryPath } from '../support/fixture-path.js';

/** The embedded task the copies are made of: open questions with four or five images. */
export const smallTask = 'PictureNumbers';

const annotationSchema = z.looseObject({
  meta_data: z.looseObject({ task_instruction: z.array(z.string()) }),
  data: z.array(
    z.looseObject({
      sample_id: z.int(),
      task_instruction_id: z.int(),
      task_instance: z.looseObject({ images_path: z.array(z.string()).min(1) }),
    }),
  ),
});
export type EditableAnnotation = z.infer<typeof annotationSchema>;

/** A writable copy of the first samples of one embedded task, in the layout of MileBench. */
export interface SmallDataset {
  readonly root: string;
  readonly annotationFile: string;
  /** File of the first image of sample `id`. */
  firstImage(id: number): string;
  /** Changes the annotation in its file. */
  edit(change: (annotation: EditableAnnotation) => void): Promise<void>;
}

/** Copies `samples` samples with their images to `root`, which must not exist. */
export async function copySmallDataset(root: string, samples = 3): Promise<SmallDataset> {
  const source = repositoryPath('datasets/minimile');
  const whole = annotationSchema.parse(
    JSON.parse(await readFile(path.join(source, smallTask, `${smallTask}.json`), 'utf8')),
  );
  const annotation = { ...whole, data: whole.data.slice(0, samples) };
  const images = path.join(root, smallTask, 'images');
  await mkdir(images, { recursive: true });
  await writeFile(
    path.join(root, 'columns.json'),
    JSON.stringify({ [smallTask]: { column: 'S-2', metric: 'rouge-l' } }),
  );
  for (const { task_instance } of annotation.data) {
    for (const name of task_instance.images_path) {
      await copyFile(path.join(source, smallTask, 'images', name), path.join(images, name));
    }
  }
  const annotationFile = path.join(root, smallTask, `${smallTask}.json`);
  await writeFile(annotationFile, JSON.stringify(annotation));
  return {
    root,
    annotationFile,
    firstImage(id) {
      const sample = annotation.data.find(({ sample_id }) => sample_id === id);
      return path.join(images, sample!.task_instance.images_path[0]!);
    },
    async edit(change) {
      const edited = annotationSchema.parse(JSON.parse(await readFile(annotationFile, 'utf8')));
      change(edited);
      await writeFile(annotationFile, JSON.stringify(edited));
    },
  };
}
