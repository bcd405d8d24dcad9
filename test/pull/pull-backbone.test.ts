import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { hashBundle } from '../../src/bench/content-hashes.js';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import type { PullRequest } from '../../src/pull/pull-backbone.js';
import { rawTensors } from '../checkpoint/raw-tensors.js';
import { writeTorch } from '../checkpoint/write-torch.js';
import { fixturePath } from '../support/fixture-path.js';
import {
  checkpointFiles,
  clipRepository,
  llavaRepositories,
  modelRepository,
} from './fixture-repositories.js';

import { bundleIn, filesIn, llava, pull, scratch, serveAll } from './pull-here.js';

describe('a pull', () => {
  test('downloads what is needed of model and tower and makes the bundle that convert makes', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const summary = await pull(hub, place);
    const model = Object.keys(await checkpointFiles('llava'));
    const tower = Object.keys(await checkpointFiles('llava/clip'));
    const wanted = [
      ...model.map((name) => `${llava.repository}/${name}`),
      ...tower.map((name) => `${clipRepository}/${name}`),
    ];
    expect(asked().sort()).toEqual(wanted.sort());
    expect(summary).toMatchObject({
      model: { repository: llava.repository, commit: 'c'.repeat(40) },
      vision: { repository: clipRepository },
      family: 'llava',
      hasCheckpoint: true,
      bundle: { status: 'converted' },
    });
    expect(summary.downloadedBytes).toBe(summary.model.bytes + summary.vision!.bytes);
    expect(await filesIn(place.checkpoints)).toEqual(
      wanted.map((name) => name.replace(/^([^/]*)\//, '$1--')).sort(),
    );
    const direct = path.join(place.bundles, 'direct');
    await convertCheckpoint({ checkpoint: fixturePath('backbones/llava'), out: direct, dtype: 'fp32' });
    const [pulled, converted] = [bundleIn(place).directory, direct].map((directory) =>
      openBundle(directory, { verify: 'hashes' }),
    );
    expect(hashBundle((await pulled!).manifest)).toBe(hashBundle((await converted!).manifest));
    expect((await pulled!).manifest).toMatchObject({ name: 'pulled', prompt: { name: 'llava_llama_2' } });
  });

  test('repeated asks for no file, and in another element type for none that is there', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place);
    asked();
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'present' } });
    const other = await pull(hub, place, { bundle: bundleIn(place, 'fp16') });
    expect(other).toMatchObject({ downloadedBytes: 0, bundle: { status: 'converted' } });
    expect(asked()).toEqual([]);
    expect((await readdir(place.bundles)).sort()).toEqual(['fp16', 'fp32']);
  });

  test('leaves no weights when told so, and fetches them again only when it has something to convert', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const once = await pull(hub, place, { keepCheckpoint: false });
    expect(once.hasCheckpoint).toBe(false);
    expect((await filesIn(place.checkpoints)).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
    asked();
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'present' } });
    expect(asked()).toEqual([]);
    await pull(hub, place, { bundle: bundleIn(place, 'fp16') });
    expect(asked()).toEqual([`${llava.repository}/model.safetensors`, `${clipRepository}/model.safetensors`]);
  });

  test('of a bundle that is there can remove the weights', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place);
    expect(await pull(hub, place, { keepCheckpoint: false })).toMatchObject({
      hasCheckpoint: false,
      bundle: { status: 'present' },
    });
  });

  test('converts again when the template is another, and the bundle when it is damaged', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place);
    const bundle = { ...bundleIn(place), template: 'v1' };
    expect(await pull(hub, place, { bundle })).toMatchObject({ bundle: { status: 'converted' } });
    const { manifest } = await openBundle(bundle.directory, { verify: 'sizes' });
    expect(manifest.prompt.name).toBe('v1');
    await rm(path.join(bundle.directory, 'embedding.bin'));
    expect(await pull(hub, place, { bundle })).toMatchObject({ bundle: { status: 'converted' } });
    // What it was not told to replace stays.
    const kept = { ...bundleIn(place), replace: false };
    await expect(pull(hub, place, { bundle: kept })).rejects.toThrow(
      /already exists and is not what is asked for; give/,
    );
  });

  test('without a bundle only downloads', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    expect(await pull(hub, place, { bundle: null })).toMatchObject({ bundle: null, hasCheckpoint: true });
    expect(await filesIn(place.bundles)).toEqual([]);
  });

  test('shows how far it is, of all weights together', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const seen: Parameters<PullRequest['onProgress']>[0][] = [];
    const summary = await pull(hub, place, { onProgress: (progress) => seen.push(progress) });
    const downloading = seen.filter(({ doing }) => doing === 'downloading');
    const sizes = await Promise.all(
      [summary.model, summary.vision!].map(async ({ directory }) =>
        readFile(path.join(directory, 'model.safetensors')),
      ),
    );
    expect(downloading.at(-1)).toMatchObject({
      doneBytes: sizes[0]!.length + sizes[1]!.length,
      totalBytes: sizes[0]!.length + sizes[1]!.length,
    });
    const converting = seen.filter(({ doing }) => doing === 'converting').at(-1)!;
    expect(converting.doneBytes).toBe(converting.totalBytes);
    expect(seen.indexOf(downloading.at(-1)!)).toBeLessThan(seen.indexOf(converting));
  });
});

describe('of each family a pull brings', () => {
  test('shards and no tower of llava-hf, although there are torch weights', async () => {
    const source = { ...llava, repository: 'llava-hf/llava-1.5-7b-hf' };
    const { hub, asked } = await serveAll(await modelRepository(source.repository, 'llava-hf'));
    const place = await scratch();
    expect(await pull(hub, place, { source })).toMatchObject({ vision: null, family: 'llava' });
    expect(
      asked()
        .map((name) => path.basename(name))
        .sort(),
    ).toEqual(Object.keys(await checkpointFiles('llava-hf')).sort());
    const vision = { repository: clipRepository, revision: 'main' };
    await expect(pull(hub, place, { source: { ...source, vision } })).rejects.toThrow(
      /^model llava-hf\/llava-1\.5-7b-hf: holds its own vision tower, .*; leave out --vision$/,
    );
  });

  test('torch weights, whole or in shards, where there are no others', async () => {
    const saved = async (fixture: string, part: (nth: number) => boolean): Promise<Buffer> => {
      const tensors = [...(await rawTensors(fixturePath(`backbones/${fixture}/model.safetensors`)))];
      const file = path.join((await scratch()).checkpoints, '../weights.bin');
      await writeTorch(file, new Map(tensors.filter((_, nth) => part(nth))));
      return readFile(file);
    };
    const [model, clip] = await llavaRepositories();
    const { 'model.safetensors': _, 'pytorch_model.bin': __, ...rest } = model!.files;
    const { 'model.safetensors': ___, ...clipRest } = clip!.files;
    const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'];
    const weight_map = { any: shards[0], other: shards[1] };
    const files = {
      ...rest,
      [shards[0]!]: await saved('llava', (nth) => nth % 2 === 0),
      [shards[1]!]: await saved('llava', (nth) => nth % 2 === 1),
      'pytorch_model.bin.index.json': Buffer.from(JSON.stringify({ weight_map })),
    };
    const clipFiles = { ...clipRest, 'pytorch_model.bin': await saved('llava/clip', () => true) };
    const { hub, asked } = await serveAll({ ...model!, files }, { ...clip!, files: clipFiles });
    expect(await pull(hub, await scratch())).toMatchObject({ bundle: { status: 'converted' } });
    expect(asked().filter((name) => name.includes('pytorch') || name.includes('safetensors'))).toEqual([
      `${llava.repository}/pytorch_model.bin.index.json`,
      ...shards.map((name) => `${llava.repository}/${name}`),
      `${clipRepository}/pytorch_model.bin`,
    ]);
  });

  test('only the configs of the tower of MobileVLM_V2', async () => {
    const source = { ...llava, repository: 'mtgv/MobileVLM_V2-1.7B' };
    const clip = await modelRepository(clipRepository, 'llava/clip');
    const { 'config.json': config, 'preprocessor_config.json': processor } =
      await checkpointFiles('mobilevlm/clip');
    const files = { ...clip.files, 'config.json': config!, 'preprocessor_config.json': processor! };
    const { hub, asked } = await serveAll(await modelRepository(source.repository, 'mobilevlm'), {
      ...clip,
      files,
    });
    const place = await scratch();
    expect(await pull(hub, place, { source })).toMatchObject({
      family: 'mobilevlm',
      bundle: { status: 'converted' },
    });
    expect(asked().filter((name) => name.startsWith(clipRepository))).toEqual([
      `${clipRepository}/config.json`,
      `${clipRepository}/preprocessor_config.json`,
    ]);
    const { manifest } = await openBundle(bundleIn(place).directory, { verify: 'sizes' });
    expect(manifest.prompt.name).toBe('v1');
  });

  test('the InternViT of InternVL-Chat, from the repository that is given or named', async () => {
    const source = { ...llava, repository: 'OpenGVLab/InternVL-Chat-ViT-6B-Vicuna-7B' };
    const tower = await modelRepository('OpenGVLab/InternViT-6B-224px', 'internvl/InternViT-6B-224px');
    const { hub, asked } = await serveAll(await modelRepository(source.repository, 'internvl'), tower, {
      ...tower,
      id: 'me/InternViT-6B-copy',
    });
    const place = await scratch();
    expect(await pull(hub, place, { source })).toMatchObject({ vision: { repository: tower.id } });
    expect(asked()).toContain(`${tower.id}/model.safetensors`);
    const vision = { repository: 'me/InternViT-6B-copy', revision: 'main' };
    expect(await pull(hub, place, { source: { ...source, vision } })).toMatchObject({
      vision: { repository: vision.repository },
      bundle: { status: 'converted' },
    });
  });
});
