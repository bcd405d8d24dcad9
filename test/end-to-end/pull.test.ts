import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { hubOf, serve } from '../hub/fake-hub.js';
import {
  checkpointFiles,
  clipRepository,
  llavaRepositories,
  modelRepository,
} from '../pull/fixture-repositories.js';
import { lookm, openPlace, type Place, problemLines } from './real-lookm.js';
import { recordsOf } from './run-files.js';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});

/** A hub on this machine with the fixtures under the names of the published repositories. */
async function families(): Promise<string> {
  const clip = await modelRepository(clipRepository, 'llava/clip');
  // Their towers differ in size, so MobileVLM_V2 gets a CLIP repository of its own.
  const small = { ...clip, id: 'small/clip', files: await checkpointFiles('mobilevlm/clip') };
  const { origin } = await serve(
    hubOf([
      ...(await llavaRepositories()),
      await modelRepository('mtgv/MobileVLM_V2-1.7B', 'mobilevlm'),
      small,
      await modelRepository('OpenGVLab/InternVL-Chat-ViT-6B-Vicuna-7B', 'internvl'),
      await modelRepository('OpenGVLab/InternViT-6B-224px', 'internvl/InternViT-6B-224px'),
    ]),
  );
  return origin;
}

test('presets of all families are pulled and run by their names', async () => {
  const endpoint = await families();
  const pulls = [
    ['llava-1.5-7b', '--dtype', 'fp16'],
    ['mobilevlm-v2-1.7b', '--vision', 'small/clip'],
    ['internvl-chat-7b'],
  ];
  for (const argv of pulls) {
    const [name] = argv;
    const pulled = await lookm(['pull', ...argv, '--endpoint', endpoint], place);
    expect({ code: pulled.code, problems: problemLines(pulled) }, name).toEqual({ code: 0, problems: [] });
    expect(pulled.stdout).toContain(`\nNext: lookm bench --backbone ${name}\n`);
    const grid = ['--tasks', 'ColourChange', '--limit', '1', '--methods', 'full,h2o', '--budgets', '20%'];
    const run = await lookm(['bench', '--backbone', name!, ...grid, '--out', name!], place);
    expect({ code: run.code, problems: problemLines(run) }, name).toEqual({ code: 0, problems: [] });
    const records = await recordsOf(path.join(place.cwd, name!));
    expect(records.length).toBeGreaterThan(1);
    const dtype = argv.includes('fp16') ? 'fp16' : 'fp32';
    expect(new Set(records.map(({ backbone }) => backbone))).toEqual(new Set([`${name}:${dtype}`]));
  }
});

test('bench converts a checkpoint to the element types it is told, and does not mistake a bundle of others', async () => {
  const grid = ['--tasks', 'ColourChange', '--limit', '1', '--methods', 'full'];
  const run = await lookm(['bench', '--dtype', 'int4-b128', ...grid, '--out', 'int4'], place);
  expect({ code: run.code, problems: problemLines(run) }).toEqual({ code: 0, problems: [] });
  const cache = path.join(place.cache, 'bundles');
  const [bundle] = await readdir(cache);
  expect(bundle).toMatch(/^tiny-llava-[0-9a-f]{12}-int4-b128$/);
  const other = [
    'bench',
    '--backbone',
    path.join(cache, bundle!),
    '--dtype',
    'int4',
    ...grid,
    '--out',
    'other',
  ];
  expect(await lookm(other, place)).toMatchObject({
    code: 2,
    stderr:
      'error: --backbone: the bundle has weights of int4-b128, not int4; leave out the element type or give another bundle\n',
  });
});
