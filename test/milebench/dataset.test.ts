import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { listTasks, loadTask } from '../../src/milebench/dataset.js';
import { buildQuestion } from '../../src/milebench/prompt.js';

const minimile = fileURLToPath(new URL('../../datasets/minimile', import.meta.url));

describe('the embedded datasets', () => {
  test('are listed by column', async () => {
    const tasks = await listTasks(minimile);
    expect(tasks.map(({ name, column, metric }) => `${column} ${name} ${metric}`)).toEqual([
      'T-2 ShapeExistence accuracy',
      'T-3 ShapeDirection accuracy',
      'T-4 ColourChange accuracy',
      'S-1 LabelledFacts accuracy',
      'S-2 PictureNumbers rouge-l',
      'S-3 ChangeCaption rouge-l',
      'S-4 AlbumDialogue accuracy',
      'S-5 ShapePosition accuracy',
      'N-1 TextNeedleInAHaystackMini needle',
      'N-2 ImageNeedleInAHaystackMini needle',
      'IR ImageRetrievalMini accuracy',
    ]);
  });

  test('load 330 samples without a failure, and every image is there', async () => {
    const tasks = await Promise.all((await listTasks(minimile)).map(loadTask));
    expect(tasks.flatMap((task) => task.failures)).toEqual([]);
    for (const task of tasks) {
      for (const one of task.samples) expect(await task.checkImages(one, null)).toBeNull();
    }
    const samples = tasks.flatMap((task) => task.samples);
    expect(samples).toHaveLength(330);
    expect(new Set(samples.map((sample) => sample.quantityLevel))).toEqual(new Set(['Few', 'Medium']));
  });

  test('give a sample with its images, choices and instruction', async () => {
    const info = (await listTasks(minimile)).find((task) => task.name === 'AlbumDialogue')!;
    const { samples, taskInstructions } = await loadTask(info);
    expect(taskInstructions).toHaveLength(4);
    expect(samples[0]).toMatchObject({
      sampleId: '1',
      taskInstructionId: 2,
      imageNames: ['img_1483.png', 'img_0857.png', 'img_0377.png', 'img_0897.png', 'img_0947.png'],
      choices: ['square', 'cross', 'triangle', 'circle'],
      response: 'cross',
      quantityLevel: 'Few',
    });
  });
});

let root = '';
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookm-datasets-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

function sample(
  id: number,
  images: readonly string[] = ['a.png'],
  choices: readonly string[] | undefined = ['x', 'y'],
) {
  const task_instance = { context: '{image#1} q', images_path: images, choice_list: choices };
  return { sample_id: id, task_instruction_id: 0, task_instance, response: 'x' };
}

async function addDataset(
  name: string,
  data: readonly unknown[],
  questionType = 'multi-choice',
): Promise<void> {
  await mkdir(path.join(root, name, 'images'), { recursive: true });
  await writeFile(path.join(root, name, 'images', 'a.png'), 'not read here');
  const meta_data = { task_instruction: ['Answer.'], question_type: questionType };
  await writeFile(path.join(root, name, `${name}.json`), JSON.stringify({ meta_data, data }));
}

async function loadOnly() {
  const [info] = await listTasks(root);
  return loadTask(info!);
}

describe('listing a root', () => {
  test('knows official datasets without a columns file and passes stray folders and files over', async () => {
    await addDataset('ALFRED', [], 'open-ended');
    await addDataset('StateChange', []);
    await mkdir(path.join(root, 'notes'));
    await writeFile(path.join(root, 'README.md'), 'text');
    await symlink(path.join(root, 'nowhere'), path.join(root, 'dangling'));
    const tasks = await listTasks(root);
    expect(tasks.map(({ name, column, metric, definedBy }) => [name, column, metric, definedBy])).toEqual([
      ['StateChange', 'T-4', 'accuracy', 'taxonomy'],
      ['ALFRED', 'S-4', 'rouge-l', 'taxonomy'],
    ]);
  });

  test('lets the columns file define and redefine, and ignores definitions without a folder', async () => {
    await addDataset('StateChange', []);
    await addDataset('Mine', []);
    const columns = {
      Mine: { column: 'T-1', metric: 'rouge-l' },
      StateChange: { column: 'X-1', metric: 'needle' },
      Elsewhere: { column: 'T-1', metric: 'accuracy' },
    };
    await writeFile(path.join(root, 'columns.json'), JSON.stringify(columns));
    const tasks = await listTasks(root);
    expect(tasks.map(({ name, column, metric, definedBy }) => [name, column, metric, definedBy])).toEqual([
      ['Mine', 'T-1', 'rouge-l', 'columns file'],
      ['StateChange', 'X-1', 'needle', 'columns file'],
    ]);
  });

  test('refuses a dataset nobody defined and names what it may have meant', async () => {
    await addDataset('StateChanges', []);
    await expect(listTasks(root)).rejects.toThrow(
      /StateChanges: the dataset "StateChanges" is none of MileBench's; define .*columns\.json or rename it \(StateChange\?\)/,
    );
  });

  test('refuses a known dataset without annotation', async () => {
    await mkdir(path.join(root, 'ALFRED'));
    await expect(listTasks(root)).rejects.toThrow(/ALFRED\.json: the annotation is missing; download/);
  });

  test('refuses a root that is empty, missing or a file', async () => {
    await expect(listTasks(root)).rejects.toThrow(/there is no dataset in this folder; give a folder/);
    await expect(listTasks(path.join(root, 'none'))).rejects.toThrow(
      /none: the folder of datasets cannot be read/,
    );
    await writeFile(path.join(root, 'file'), '');
    await expect(listTasks(path.join(root, 'file'))).rejects.toThrow(UserError);
  });

  test('refuses a columns file that is no JSON', async () => {
    await writeFile(path.join(root, 'columns.json'), '{');
    await expect(listTasks(root)).rejects.toThrow(/columns\.json: cannot be read as JSON/);
  });
});

describe('loading a dataset', () => {
  test.each([
    ['../secret.png', 'is not a path inside the folder of images'],
    ['sub/../../secret.png', 'is not a path inside the folder of images'],
    ['sub\\..\\..\\secret.png', 'is not a path inside the folder of images'],
    ['/etc/passwd', 'is not a path inside the folder of images'],
    ['C:\\secret.png', 'is not a path inside the folder of images'],
    ['a.png\0', 'is not a path inside the folder of images'],
    ['link.png', 'leads out of the folder of images'],
    ['linked/secret.png', 'leads out of the folder of images'],
    ['missing.png', 'does not exist'],
    ['sub', 'is not a file'],
    ['.', 'leads out of the folder of images'],
  ])('finds the image %j when its sample comes up: it %s', async (image, problem) => {
    await addDataset('StateChange', [sample(1), sample(2, ['a.png', image]), sample(3)]);
    const secret = path.join(root, 'secret');
    await mkdir(secret);
    await writeFile(path.join(secret, 'secret.png'), '');
    const images = path.join(root, 'StateChange', 'images');
    await mkdir(path.join(images, 'sub'));
    await symlink(path.join(secret, 'secret.png'), path.join(images, 'link.png'));
    await symlink(secret, path.join(images, 'linked'));
    const { samples, failures, checkImages } = await loadOnly();
    expect(failures).toEqual([]);
    const problems = await Promise.all(samples.map((one) => checkImages(one, null)));
    expect([problems[0], problems[2]]).toEqual([null, null]);
    expect(problems[1]).toBeInstanceOf(UserError);
    expect(problems[1]!.message).toContain(
      `StateChange.json, sample 2, field task_instance.images_path.1: the image ${JSON.stringify(image)} ${problem}`,
    );
  });

  test('accepts images in folders below, links that stay inside, and a folder of images that is a link within the root', async () => {
    await addDataset('StateChange', [sample(1, ['sub/b.png', 'inner.png'])]);
    const images = path.join(root, 'StateChange', 'images');
    const elsewhere = path.join(root, 'pictures');
    await mkdir(path.join(elsewhere, 'sub'), { recursive: true });
    await writeFile(path.join(elsewhere, 'sub', 'b.png'), '');
    await symlink('sub/b.png', path.join(elsewhere, 'inner.png'));
    await rm(images, { recursive: true });
    await symlink(elsewhere, images);
    const { samples, checkImages } = await loadOnly();
    expect(await checkImages(samples[0]!, null)).toBeNull();
  });

  test('refuses a folder of images that is a link out of the root, and follows a whole dataset that is one', async () => {
    await addDataset('StateChange', [sample(1, ['a.png'])]);
    const dataset = path.join(root, 'StateChange');
    const outside = await mkdtemp(path.join(tmpdir(), 'lookm-outside-'));
    onTestFinished(() => rm(outside, { recursive: true }));
    await rename(path.join(dataset, 'images'), path.join(outside, 'images'));
    await symlink(path.join(outside, 'images'), path.join(dataset, 'images'));
    const refused = await loadOnly();
    expect((await refused.checkImages(refused.samples[0]!, null))?.message).toMatch(
      /StateChange.images: the folder of images is a link out of the root; put the images themselves there/,
    );
    await rm(path.join(dataset, 'images'));
    await rename(path.join(outside, 'images'), path.join(dataset, 'images'));
    await rename(dataset, path.join(outside, 'StateChange'));
    await symlink(path.join(outside, 'StateChange'), dataset);
    const linked = await loadOnly();
    expect(await linked.checkImages(linked.samples[0]!, null)).toBeNull();
  });

  test('looks at no image before it is asked, and then at those of the one sample', async () => {
    const names = (id: number) => Array.from({ length: 30 }, (_, image) => `${id}-${image}.png`);
    const ids = Array.from({ length: 200 }, (_, id) => id);
    await addDataset(
      'StateChange',
      ids.map((id) => sample(id, names(id))),
    );
    const { samples, failures, checkImages } = await loadOnly();
    expect([samples.length, failures.length]).toEqual([200, 0]);
    for (const name of names(7)) await writeFile(path.join(root, 'StateChange', 'images', name), '');
    expect(await checkImages(samples[7]!, null)).toBeNull();
    expect((await checkImages(samples[8]!, null))?.message).toContain('the image "8-0.png" does not exist');
  });

  test('gathers failures of format, choices and images in one list', async () => {
    const broken = { ...sample(1), response: undefined };
    await addDataset('StateChange', [
      broken,
      { ...sample(2), task_instance: { context: '', images_path: [] } },
      sample(3),
    ]);
    const { samples, failures } = await loadOnly();
    expect(samples.map(({ sampleId }) => sampleId)).toEqual(['3']);
    expect(failures.map(({ error }) => error.message)).toEqual([
      expect.stringContaining('sample 1, field response: is missing'),
      expect.stringContaining('sample 2, field task_instance.choice_list: the metric accuracy needs choices'),
    ]);
  });

  test('needs no folder of images for questions without images', async () => {
    await addDataset('StateChange', [sample(1, [])]);
    await rm(path.join(root, 'StateChange', 'images'), { recursive: true });
    expect((await loadOnly()).samples).toHaveLength(1);
  });

  test('is refused without the folder of images', async () => {
    await addDataset('StateChange', [sample(1)]);
    await rm(path.join(root, 'StateChange', 'images'), { recursive: true });
    await expect(loadOnly()).rejects.toThrow(/images: the folder of images is missing; unpack/);
  });

  test.each([
    ['no JSON', '{"data": [', /StateChange\.json: cannot be read as JSON/],
    [
      'marked as UTF-8',
      '\uFEFF{"data": []}',
      /StateChange\.json: cannot be read as JSON \(.* line 1, column 1\)/,
    ],
    [
      'no UTF-8',
      Buffer.from([0x7b, 0x22, 0xe9, 0x22]),
      /StateChange\.json: cannot be read as JSON \(.*utf-8\)/,
    ],
  ])('is refused when the annotation is %s', async (_name, content, message) => {
    await addDataset('StateChange', []);
    await writeFile(path.join(root, 'StateChange', 'StateChange.json'), content);
    await expect(loadOnly()).rejects.toThrow(message);
  });

  test('is refused when the question type contradicts the taxonomy, unless the columns file settles it', async () => {
    await addDataset('StateChange', [sample(1)], 'open-ended');
    await expect(loadOnly()).rejects.toThrow(
      /field meta_data\.question_type: the question type "open-ended" is not scored by accuracy/,
    );
    const columns = { StateChange: { column: 'T-4', metric: 'accuracy' } };
    await writeFile(path.join(root, 'columns.json'), JSON.stringify(columns));
    expect((await loadOnly()).samples).toHaveLength(1);
  });
});

describe('combined pictures', () => {
  const combined = (id: number, names: readonly string[]) => {
    const plain = sample(id, ['a.png', 'b.png']);
    return { ...plain, task_instance: { ...plain.task_instance, combined_1_images: names } };
  };

  test('are looked for in their own folder, and the images themselves are not missed', async () => {
    await addDataset('StateChange', [combined(1, ['1-0.jpg']), combined(2, ['2-0.jpg']), combined(3, [])]);
    const folder = path.join(root, 'StateChange', 'combined_1_images');
    await mkdir(folder);
    await writeFile(path.join(folder, '1-0.jpg'), '');
    await rm(path.join(root, 'StateChange', 'images'), { recursive: true });
    const { samples, checkImages } = await loadOnly();
    const [found, missing, none] = await Promise.all(samples.map((one) => checkImages(one, 1)));
    expect([found, none]).toEqual([null, null]);
    expect(missing!.message).toContain(
      'sample 2, field task_instance.combined_1_images.0: the image "2-0.jpg" does not exist; name a file in',
    );
    expect((await checkImages(samples[0]!, null))?.message).toContain('the folder of images is missing');
  });

  test('must lie inside their folder', async () => {
    await addDataset('StateChange', [combined(1, ['../images/a.png'])]);
    await mkdir(path.join(root, 'StateChange', 'combined_1_images'));
    const { samples, checkImages } = await loadOnly();
    expect((await checkImages(samples[0]!, 1))?.message).toContain('is not a path inside the folder');
  });

  test('become the one image of the question', async () => {
    await addDataset('StateChange', [combined(1, ['1-0.jpg'])]);
    const { samples, taskInstructions, info } = await loadOnly();
    const question = buildQuestion({
      sample: samples[0]!,
      taskInstructions,
      imageDir: path.basename(info.imageDir),
      maxContextLength: 100,
      tokensPerImage: 80,
      tokenizer: { encode: (text: string) => [...text], decode: (tokens: string[]) => tokens.join('') },
      datasetName: info.name,
      combineImage: 1,
    });
    const choices = '\nChoice list: \nA. x\nB. y\nYour answer is: ';
    expect(question).toEqual({
      text: `<ImageHere>\nAnswer.\n<Image 1>  q${choices}`,
      imagePaths: ['combined_1_images/1-0.jpg'],
    });
  });
});
