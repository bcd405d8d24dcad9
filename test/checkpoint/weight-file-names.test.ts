import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { weightFileNames } from '../../src/checkpoint/weight-file-names.js';
import { scratchDirectory } from './scratch-directory.js';
import { writeJson } from './synthetic-checkpoint.js';

const kinds = [
  ['model.safetensors', 'safetensors'],
  ['pytorch_model.bin', 'bin'],
] as const;

test.each(kinds)('the weight files are %s, or the index and its shards', async (single, suffix) => {
  const dir = scratchDirectory();
  const index = `${single}.index.json`;
  await writeJson(join(dir, index), {
    weight_map: { x: `two.${suffix}`, y: `one.${suffix}`, z: `two.${suffix}` },
  });
  expect(await weightFileNames(dir)).toEqual({ index, weights: [`one.${suffix}`, `two.${suffix}`] });
  await writeFile(join(dir, single), '');
  expect(await weightFileNames(dir)).toEqual({ weights: [single] });
});

test('safetensors are preferred, whether in one file or in shards', async () => {
  const dir = scratchDirectory();
  await writeJson(join(dir, 'model.safetensors.index.json'), { weight_map: { x: 'a.safetensors' } });
  await writeJson(join(dir, 'pytorch_model.bin.index.json'), { weight_map: { x: 'a.bin' } });
  await writeFile(join(dir, 'pytorch_model.bin'), '');
  await writeFile(join(dir, 'model.safetensors'), '');
  const chosen = async () => (await weightFileNames(dir)).weights[0];
  for (const [expected, next] of [
    ['model.safetensors', 'model.safetensors'],
    ['a.safetensors', 'model.safetensors.index.json'],
    ['pytorch_model.bin', 'pytorch_model.bin'],
    ['a.bin', 'pytorch_model.bin.index.json'],
  ] as const) {
    expect(await chosen()).toBe(expected);
    await rm(join(dir, next));
  }
  await expect(weightFileNames(dir)).rejects.toThrow(
    `${dir}: has no weights: none of model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json; point to a downloaded checkpoint`,
  );
});

test.each(kinds)('an index of %s names files of its own directory, or is refused', async (single) => {
  const dir = scratchDirectory();
  const index = join(dir, `${single}.index.json`);
  const outside = [
    '../secret.bin',
    '/etc/passwd',
    'a/../../b',
    'a\\b',
    'C:b',
    '',
    '.',
    '..',
    'a\0b',
    'a\nb',
    '\u202ea',
  ];
  for (const name of [...outside, 7, null, ['a.bin'], { a: 'a.bin' }]) {
    await writeJson(index, { weight_map: { fine: 'a.bin', odd: name } });
    await expect(weightFileNames(dir)).rejects.toThrow(
      /index\.json: weight_map: odd: [ -~]* is not a plain file name;/,
    );
  }
  await writeJson(index, { weight_map: { odd: '../secret.bin' } });
  await expect(weightFileNames(dir)).rejects.toThrow(
    `${index}: weight_map: odd: ../secret.bin is not a plain file name; download the index again`,
  );
});

test('an index that names nothing, too much or is no index is refused', async () => {
  const dir = scratchDirectory();
  const index = join(dir, 'pytorch_model.bin.index.json');
  await writeFile(index, '{');
  await expect(weightFileNames(dir)).rejects.toThrow(`${index}: is not JSON`);
  await writeJson(index, { metadata: {} });
  await expect(weightFileNames(dir)).rejects.toThrow(`${index}: weight_map: `);
  await writeJson(index, { weight_map: {} });
  await expect(weightFileNames(dir)).rejects.toThrow('weight_map names 0 files, expected 1 to 10000');
  const many = Array.from({ length: 10_001 }, (_, i) => [`t${i}`, `${i}.bin`]);
  await writeJson(index, { weight_map: Object.fromEntries(many) });
  await expect(weightFileNames(dir)).rejects.toThrow('weight_map names 10001 files');
});
