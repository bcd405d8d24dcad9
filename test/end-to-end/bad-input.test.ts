import { copyFile, cp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, global, pickled, text } from '../checkpoint/pickle-bytes.js';
import { torchLegacy, torchZip } from '../checkpoint/write-torch.js';
import { zipFile } from '../checkpoint/zip-bytes.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { type Called, lookm, newDirectory, openPlace, type Place, problemLines } from './real-lookm.js';
import { contentsOf, countersOf, linesOf, recordsOf } from './run-files.js';
import { copySmallDataset, type SmallDataset, smallTask } from './small-dataset.js';

let place: Place;
/** The embedded backbone, converted once for all tests. */
let bundle: string;

beforeAll(async () => {
  place = await openPlace();
  bundle = path.join(place.cwd, 'bundle');
  const model = repositoryPath('models/tiny-llava');
  expect(await lookm(['convert', model, '--out', bundle, '--quiet'], place)).toMatchObject({ code: 0 });
});

let directories = 0;

/** An empty working directory with the cache of the others. */
async function newPlace(): Promise<Place> {
  directories++;
  return { ...place, cwd: await newDirectory(place.cwd, `test-${directories}`) };
}

/** Refused as a whole: exit code 2 and one line, which says all of `expected`. */
function expectRefusal(called: Called, expected: readonly (string | RegExp)[]): void {
  const lines = problemLines(called);
  expect({ code: called.code, stdout: called.stdout, problems: lines.length }, called.stderr).toEqual({
    code: 2,
    stdout: '',
    problems: 1,
  });
  expect(lines[0]).toMatch(/^error: /);
  for (const part of expected) expect(lines[0]).toMatch(part);
}

/** A run with one failed sample: exit code 2, tables, and one line which says all of `expected`. */
function expectFailedSample(called: Called, expected: readonly string[]): void {
  const lines = problemLines(called);
  expect({ code: called.code, problems: lines.length }, called.stderr).toEqual({ code: 2, problems: 1 });
  expect(lines[0]).toMatch(new RegExp(`^failed: ${smallTask}, sample 2: `));
  for (const part of expected) expect(lines[0]).toContain(part);
  expect(called.stdout).toContain('Done: 4 records (4 new, 0 found), 2 prefills, 1 sample failed.\n');
}

/** Two cells on a small dataset. */
function small(data: string, flags: readonly string[] = []): string[] {
  const grid = ['--methods', 'full,h2o', '--budgets', '20%', '--first-token', 'cache'];
  return ['bench', '--backbone', bundle, '--dataset', data, ...grid, '--out', 'out', ...flags];
}

describe('a run file', () => {
  const correct = [
    'backbone: tiny-llava',
    'dataset: {root: minimile, tasks: all}',
    'methods: [full, h2o]',
    'budgets: [20%, 5%]',
    'limit: 1',
  ].join('\n');

  test.each<[string, string, string, readonly (string | RegExp)[]]>([
    ['with broken YAML', '5%]', '5%', [/mine\.yaml:\d:\d+: not valid YAML: /]],
    ['with an unknown method', 'h2o', 'h20', ['mine.yaml:3:17: methods[1]: ', '"h20"', 'did you mean h2o?']],
    ['with an unknown key', 'budgets', 'budget', ['mine.yaml:4:1: budget: ', 'did you mean budgets?']],
    ['with a budget of 0', '5%', '0', ['mine.yaml:4:16: budgets[1]: 0 is not a budget; write 20%']],
    ['with a budget of 0 %', '5%', '0%', ['mine.yaml:4:16: budgets[1]: budget "0%" keeps nothing; ']],
    ['with a budget of 120 %', '5%', '120%', ['mine.yaml:4:16: budgets[1]: ', 'more than 100 %']],
    [
      'with a word for a budget',
      '5%',
      'abc',
      ['mine.yaml:4:16: budgets[1]: "abc" is not a budget; write 20%'],
    ],
    ['with an unknown backbone', 'tiny-llava', 'tiny-lava', ['mine.yaml:1:11: backbone: ', 'tiny-llava?']],
    ['with a limit that is no number', 'limit: 1', 'limit: few', ['mine.yaml:5:8: limit: ', '"few"']],
  ])('%s is refused by line and column', async (_name, from, to, expected) => {
    const here = await newPlace();
    await writeFile(path.join(here.cwd, 'mine.yaml'), correct.replace(from, to));
    expectRefusal(await lookm(['bench', '--config', 'mine.yaml'], here), expected);
    expect(await readdir(here.cwd)).toEqual(['mine.yaml']);
  });
});

describe('the command line', () => {
  test.each<[readonly string[], readonly string[]]>([
    [['--methods', 'full,h20'], ['--methods: unknown method "h20"; did you mean h2o?']],
    [['--budgets', '0'], ['--budgets: "0" is not a budget; write 20%']],
    [['--budgets', '0%'], ['--budgets: budget "0%" keeps nothing; ']],
    [['--budgets', '20%,120%'], ['--budgets: budget "120%" is more than 100 %']],
    [['--budgets', 'abc'], ['--budgets: "abc" is not a budget; write 20%']],
    [
      ['--backbone', 'tiny-lava'],
      ['--backbone: no directory "tiny-lava" and no preset of that name; did you mean tiny-llava?'],
    ],
    [
      ['--limt', '3'],
      ["unknown option '--limt'", '--limit'],
    ],
  ])('with %j is refused', async (flags, expected) => {
    const here = await newPlace();
    expectRefusal(await lookm(['bench', ...flags], here), expected);
    expect(await readdir(here.cwd)).toEqual([]);
  });

  test('with a directory that holds no dataset is refused', async () => {
    const here = await newPlace();
    const nothing = await newDirectory(here.cwd, 'nothing');
    expectRefusal(await lookm(small(nothing), here), [nothing, 'there is no dataset in this folder']);
    expect(await readdir(here.cwd)).toEqual(['nothing']);
  });

  test('with a directory that is no backbone is refused', async () => {
    const here = await newPlace();
    const nothing = await newDirectory(here.cwd, 'nothing');
    expectRefusal(await lookm(['bench', '--backbone', nothing], here), [
      `--backbone: "${nothing}" holds neither bundle.json`,
    ]);
  });
});

describe('an image that', () => {
  interface Damage {
    readonly damage: (image: string, intact: string) => Promise<void>;
    readonly expected: (data: SmallDataset) => readonly string[];
  }
  const field = ({ annotationFile }: SmallDataset): string =>
    `${annotationFile}, sample 2, field task_instance.images_path.0: `;

  test.each<[string, Damage]>([
    [
      'is missing',
      { damage: (image) => rm(image), expected: (data) => [field(data), 'img_2444.png', 'does not exist'] },
    ],
    [
      'is cut off',
      {
        damage: (image) => truncate(image, 3000),
        expected: (data) => [data.firstImage(2), 'cannot decode the image', 'replace the damaged file'],
      },
    ],
    [
      'is empty',
      {
        damage: (image) => truncate(image, 0),
        expected: (data) => [data.firstImage(2), 'not an image of a readable format'],
      },
    ],
    [
      'is a link to a file outside',
      {
        damage: async (image, intact) => {
          await rm(image);
          await symlink(intact, image);
        },
        expected: (data) => [field(data), 'img_2444.png', 'leads out of the folder of images'],
      },
    ],
  ])('%s fails its sample alone, which runs once it is mended', async (_name, { damage, expected }) => {
    const here = await newPlace();
    const out = path.join(here.cwd, 'out');
    const data = await copySmallDataset(path.join(here.cwd, 'data'));
    const image = data.firstImage(2);
    const intact = path.join(here.cwd, 'intact.png');
    await copyFile(image, intact);
    await damage(image, intact);

    expectFailedSample(await lookm(small(data.root), here), expected(data));
    const before = await linesOf(out);
    expect((await recordsOf(out)).map(({ sampleId }) => sampleId)).toEqual(['1', '1', '3', '3']);
    const failures = (await linesOf(out, 'failures.jsonl')).map((line) => JSON.parse(line));
    expect(failures).toMatchObject([{ task: smallTask, sampleId: '2' }]);

    await rm(image, { force: true });
    await copyFile(intact, image);
    expect(await lookm(small(data.root), here)).toMatchObject({ code: 0 });
    expect((await countersOf(out)).lastCommand).toMatchObject({
      prefills: 1,
      records: 2,
      resumed: 4,
      failures: 0,
    });
    expect((await linesOf(out)).slice(0, 4)).toEqual(before);
    expect((await recordsOf(out)).slice(4).map(({ sampleId }) => sampleId)).toEqual(['2', '2']);
    expect(await linesOf(out, 'failures.jsonl')).toEqual([]);
  });
});

describe('an annotation', () => {
  test('with a sample of wrong types fails that sample alone', async () => {
    const here = await newPlace();
    const data = await copySmallDataset(path.join(here.cwd, 'data'));
    await data.edit((annotation) => {
      annotation.data[1]!.task_instance['context'] = 5;
    });
    expectFailedSample(await lookm(small(data.root), here), [
      `${data.annotationFile}, sample 2, field task_instance.context: `,
      'expected string, received number',
    ]);
    expect(await linesOf(path.join(here.cwd, 'out'))).toHaveLength(4);
  });

  test('with an instruction longer than the context fails the sample that uses it alone', async () => {
    const here = await newPlace();
    const data = await copySmallDataset(path.join(here.cwd, 'data'));
    await data.edit((annotation) => {
      annotation.meta_data.task_instruction.push('the old horse slept '.repeat(2000));
      annotation.data[1]!.task_instruction_id = annotation.meta_data.task_instruction.length - 1;
    });
    expectFailedSample(await lookm(small(data.root), here), [
      `${data.annotationFile}, sample 2, field `,
      'exceeds the context of 4096',
      'shorten the task instruction',
    ]);
    expect(await linesOf(path.join(here.cwd, 'out'))).toHaveLength(4);
  });

  test.each([
    ['no JSON', '{"meta_data": ', 'cannot be read as JSON'],
    ['a list', '[]', 'expected object, received array'],
    ['without data', '{"meta_data": {"task_instruction": ["Look."]}}', 'field data: '],
  ])('that is %s is refused', async (_name, content, expected) => {
    const here = await newPlace();
    const data = await copySmallDataset(path.join(here.cwd, 'data'));
    await writeFile(data.annotationFile, content);
    expectRefusal(await lookm(small(data.root), here), [data.annotationFile, expected]);
    expect(await readdir(here.cwd)).toEqual(['data']);
  });
});

/** The bytes of a file with those at `offset` replaced; the file is made anew, as the original may be read-only. */
async function rewrite(file: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const changed = change(await readFile(file));
  await rm(file);
  await writeFile(file, changed);
}

describe('a bundle', () => {
  test('with one changed bit in its weights is refused before anything is computed', async () => {
    const here = await newPlace();
    const out = path.join(here.cwd, 'out');
    const data = await copySmallDataset(path.join(here.cwd, 'data'));
    const own = path.join(here.cwd, 'bundle');
    await cp(bundle, own, { recursive: true });
    const command = small(data.root, ['--backbone', own]);
    expect(await lookm([...command, '--limit', '1'], here)).toMatchObject({ code: 0 });
    const before = await readFile(path.join(out, 'samples.jsonl'), 'utf8');

    const weights = path.join(own, 'weights.bin');
    await rewrite(weights, (bytes) => {
      bytes[12_345]! ^= 1;
      return bytes;
    });
    expectRefusal(await lookm(command, here), [weights, 'SHA-256', 'run lookm convert again']);
    expect(await readFile(path.join(out, 'samples.jsonl'), 'utf8')).toBe(before);

    await copyFile(path.join(bundle, 'weights.bin'), weights);
    expect(await lookm(command, here)).toMatchObject({ code: 0 });
    expect((await countersOf(out)).lastCommand).toMatchObject({ prefills: 2, records: 4, resumed: 2 });
  });

  test.each([
    ['a shorter weights file', 'weights.bin', 'weights.bin'],
    ['a bundle.json cut off', 'bundle.json', 'bundle.json'],
  ])('with %s is refused', async (_name, file, expected) => {
    const here = await newPlace();
    const own = path.join(here.cwd, 'bundle');
    await cp(bundle, own, { recursive: true });
    await rewrite(path.join(own, file), (bytes) => bytes.subarray(0, bytes.length - 100));
    expectRefusal(await lookm(['bench', '--limit', '1', '--backbone', own], here), [
      path.join(own, expected),
    ]);
    expect(await readdir(here.cwd)).toEqual(['bundle']);
  });

  test('without bundle.json is no backbone', async () => {
    const here = await newPlace();
    const own = path.join(here.cwd, 'bundle');
    await cp(bundle, own, { recursive: true });
    await rename(path.join(own, 'bundle.json'), path.join(here.cwd, 'moved.json'));
    expectRefusal(await lookm(['bench', '--limit', '1', '--backbone', own], here), [
      `--backbone: "${own}" holds neither bundle.json`,
    ]);
  });
});

describe('a checkpoint', () => {
  test.each<[string, (bytes: Buffer) => Buffer, string]>([
    ['cut off', (bytes) => bytes.subarray(0, 1_000_000), 'the file has only 1000000'],
    [
      'with a header of 2^60 bytes',
      (bytes) => {
        bytes.writeBigUInt64LE(2n ** 60n);
        return bytes;
      },
      'the header claims 1152921504606846976 bytes',
    ],
  ])('%s is refused by bench and convert, and leaves no bundle behind', async (_name, change, expected) => {
    const here = await newPlace();
    const own = { ...here, cache: path.join(here.cwd, 'cache') };
    const model = path.join(here.cwd, 'model');
    await cp(repositoryPath('models/tiny-llava'), model, { recursive: true });
    const weights = path.join(model, 'model.safetensors');
    await rewrite(weights, change);
    const parts = [weights, expected, 'download it again'];
    expectRefusal(await lookm(['bench', '--limit', '1', '--backbone', model], own), parts);
    expectRefusal(await lookm(['convert', model, '--out', 'converted'], own), parts);
    expect((await readdir(here.cwd)).filter((name) => name !== 'cache')).toEqual(['model']);
    expect(await readdir(path.join(own.cache, 'bundles')).catch(() => [])).toEqual([]);
  });
});

describe('a checkpoint of torch weights', () => {
  test.each<[string, (ran: string) => Buffer, string]>([
    [
      'that would run a command',
      (ran) => torchZip(pickled(call(global('os', 'system'), text(`touch ${ran}`)))),
      'its pickle asks for os.system, which is not part of weights; nothing of it was executed',
    ],
    [
      'that would run a command, in the older format,',
      (ran) => torchLegacy(pickled(call(global('posix', 'system'), text(`touch ${ran}`)))),
      'its pickle asks for posix.system, which is not part of weights; nothing of it was executed',
    ],
    [
      'that is a zip bomb',
      () => {
        const content = deflateRawSync(Buffer.alloc(2 ** 24));
        return zipFile([{ name: 'a/data.pkl', content, method: 8, claimedBytes: 2 ** 24 }]);
      },
      'member a/data.pkl is compressed (method 8)',
    ],
  ])('%s is refused by bench and convert, and nothing happens', async (_name, weights, expected) => {
    const here = await newPlace();
    const own = { ...here, cache: path.join(here.cwd, 'cache') };
    const model = path.join(here.cwd, 'model');
    await cp(repositoryPath('models/tiny-llava'), model, { recursive: true });
    await rm(path.join(model, 'model.safetensors'));
    const file = path.join(model, 'pytorch_model.bin');
    await writeFile(file, weights(path.join(here.cwd, 'ran')));
    const parts = [file, expected];
    expectRefusal(await lookm(['bench', '--limit', '1', '--backbone', model], own), parts);
    expectRefusal(await lookm(['convert', model, '--out', 'converted'], own), parts);
    expect((await readdir(here.cwd)).filter((name) => name !== 'cache')).toEqual(['model']);
  });
});

describe('the directory of another run', () => {
  test('is refused and keeps its records', async () => {
    const here = await newPlace();
    const out = path.join(here.cwd, 'out');
    const data = await copySmallDataset(path.join(here.cwd, 'data'));
    const other = await copySmallDataset(path.join(here.cwd, 'other'), 2);
    const llava = fixturePath('backbones/llava');
    const vision = path.join(llava, 'clip');
    const converted = await lookm(['convert', llava, '--vision', vision, '--out', 'llava', '--quiet'], here);
    expect(converted).toMatchObject({ code: 0 });
    expect(await lookm(small(data.root), here)).toMatchObject({ code: 0 });
    const names = ['samples.jsonl', 'manifest.json', 'accuracy.csv', 'cache.csv', 'latency.csv'];
    const before = await contentsOf(out, names);
    for (const [flags, field] of [
      [['--seed', '3'], 'seed'],
      [['--backbone', 'llava'], 'backbone'],
      [['--dataset', other.root], 'dataset'],
    ] as const) {
      const fix = 'choose another --out or delete the directory';
      expectRefusal(await lookm(small(data.root, flags), here), [out, `a run with another ${field}; ${fix}`]);
      expect(await contentsOf(out, names)).toEqual(before);
    }
    expect(await lookm(small(data.root), here)).toMatchObject({ code: 0 });
    expect((await countersOf(out)).lastCommand).toMatchObject({ prefills: 0, resumed: 6 });
  });
});
