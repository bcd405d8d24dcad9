import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';

/** A sample as tests write and break it. */
export interface DraftSample {
  [field: string]: unknown;
  task_instance: { [field: string]: unknown };
}

/** A dataset as tests write and break it. */
export interface DraftDataset {
  readonly name: string;
  readonly metric: 'accuracy' | 'rouge-l' | 'needle';
  readonly annotation: {
    [field: string]: unknown;
    meta_data: { [field: string]: unknown };
    data: DraftSample[];
  };
  readonly images: Map<string, Buffer>;
}

function pixels(value: number): Sharp {
  const background = { r: value, g: 255 - value, b: 128 };
  return sharp({ create: { width: 24, height: 24, channels: 3, background } });
}

export const png = await pixels(10).png().toBuffer();
export const jpeg = await pixels(200).jpeg().toBuffer();

const responses = { accuracy: 'two birds', 'rouge-l': 'A bird sits.', needle: '573' } as const;

/** A dataset without a fault: samples 1, 2, … of `images` images each. */
export function draftDataset(
  name: string,
  {
    metric = 'accuracy',
    samples = 3,
    images = () => 3,
  }: {
    readonly metric?: DraftDataset['metric'];
    readonly samples?: number;
    readonly images?: (sample: number) => number;
  } = {},
): DraftDataset {
  const pictures = new Map<string, Buffer>();
  const data = Array.from({ length: samples }, (_, index): DraftSample => {
    const count = images(index);
    const names = Array.from(
      { length: count },
      (_, image) => `${index + 1}_${image}.${image % 2 ? 'jpg' : 'png'}`,
    );
    for (const [image, file] of names.entries()) pictures.set(file, image % 2 ? jpeg : png);
    const references = names.map((_, image) => `{image#${image + 1}}`).join(' ');
    return {
      sample_id: index + 1,
      task_instruction_id: index % 2,
      task_instance: {
        context: `${references} How many birds are in picture ${index}?`,
        images_path: names,
        ...(metric === 'accuracy' ? { choice_list: ['one bird', 'two birds', 'three'] } : {}),
      },
      response: responses[metric],
      image_quantity_level: count < 6 ? 'Few' : count > 31 ? 'Many' : 'Medium',
    };
  });
  const question_type = metric === 'accuracy' ? 'multi-choice' : 'open-ended';
  const task_instruction = ['Look.', 'Look closely.'];
  const meta_data = { dataset: name, split: 'test', num_sample: samples, task_instruction, question_type };
  return { name, metric, annotation: { meta_data, data }, images: pictures };
}

/** Writes a dataset into its folder of the root. */
export async function writeDraft(root: string, { name, annotation, images }: DraftDataset): Promise<void> {
  const folder = path.join(root, name);
  await mkdir(path.join(folder, 'images'), { recursive: true });
  for (const [file, bytes] of images) await writeFile(path.join(folder, 'images', file), bytes);
  await writeFile(path.join(folder, `${name}.json`), JSON.stringify(annotation, null, 1));
}

/** Defines datasets that are not MileBench's. */
export async function writeColumns(
  root: string,
  datasets: readonly Pick<DraftDataset, 'name' | 'metric'>[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const defined = datasets.map(({ name, metric }) => [name, { column: 'T-1', metric }]);
  await writeFile(
    path.join(root, 'columns.json'),
    JSON.stringify({ ...Object.fromEntries(defined), ...more }),
  );
}
