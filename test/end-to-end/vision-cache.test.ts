import { readdir, truncate } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { lookm, openPlace, type Place, problemLines } from './real-lookm.js';
import { countersOf, recordsOf, withoutTimes } from './run-files.js';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});

const run = [
  'bench',
  '--tasks',
  'PictureNumbers',
  '--limit',
  '2',
  '--methods',
  'full,h2o',
  '--budgets',
  '20%',
];

async function featureFiles(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => name.endsWith('.features')).map((name) => path.join(root, name));
}

test('records are the same without a vision cache, while it fills, and from one with a damaged file', async () => {
  const { cwd } = place;
  const outcome = async (name: string, flags: readonly string[]) => {
    const called = await lookm([...run, '--out', name, ...flags], place);
    expect({ code: called.code, problems: problemLines(called) }).toEqual({ code: 0, problems: [] });
    const out = path.join(cwd, name);
    return {
      records: withoutTimes(await recordsOf(out)),
      features: (await countersOf(out)).lastCommand.features,
    };
  };
  const without = await outcome('without', []);
  const { encoded, fromMemory } = without.features;
  expect(encoded).toBeGreaterThan(1);
  expect(without.features).toEqual({ encoded, fromMemory, fromDisk: 0, unwritten: 0 });

  expect(await outcome('filling', ['--vision-cache', 'features'])).toEqual(without);
  const files = await featureFiles(path.join(cwd, 'features'));
  expect(files).toHaveLength(encoded);

  await truncate(files[0]!, 100);
  const features = { encoded: 1, fromMemory, fromDisk: encoded - 1, unwritten: 0 };
  expect(await outcome('filled', ['--vision-cache', 'features'])).toEqual({ ...without, features });
});
