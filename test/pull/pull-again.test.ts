import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Delivery, deliver, deliverAndCut } from '../hub/fake-hub.js';
import { checkpointFiles, llavaRepositories, unneeded } from './fixture-repositories.js';

import { filesIn, llava, pull, scratch, serveAll } from './pull-here.js';

describe('a pull that is cut short', () => {
  test('by the network continues where it stopped, within a command and by the next one', async () => {
    const [model, clip] = await llavaRepositories();
    const size = model!.files['model.safetensors']!.length;
    const small = Object.keys(await checkpointFiles('llava')).length - 1;
    const wholes: Delivery[] = Array(small).fill(deliver);
    const cut = {
      ...model!,
      deliveries: [...wholes, deliverAndCut(200_000), deliverAndCut(100_000), deliverAndCut(0)],
    };
    const failing = await serveAll(cut, clip!);
    const place = await scratch();
    await expect(pull(failing.hub, place)).rejects.toThrow(/model\.safetensors of model .*: it continues$/);
    expect(failing.retries.length).toBeGreaterThan(0);
    const mended = await serveAll(model!, clip!);
    const summary = await pull(mended.hub, place);
    expect(summary.bundle?.status).toBe('converted');
    const continued = mended.requests.find(
      ({ path: at, range }) => at.endsWith('model.safetensors') && range !== null,
    );
    const start = Number(/^bytes=(\d+)-$/.exec(continued?.range ?? '')?.[1]);
    expect(start).toBeGreaterThan(200_000);
    expect(summary.downloadedBytes).toBe(size - start + clip!.files['model.safetensors']!.length);
  });

  test('by a file that is not what the hub lists keeps nothing of it and makes no bundle', async () => {
    const claimed = { 'model.safetensors': '0'.repeat(64) };
    const { hub } = await serveAll(...(await llavaRepositories({ claimed })));
    const place = await scratch();
    await expect(pull(hub, place)).rejects.toThrow(
      /model\.safetensors of model .*: what came is not the file: its checksum/,
    );
    const weights = (await filesIn(place.checkpoints)).filter((name) => name.includes('safetensors'));
    expect(weights).toEqual([]);
    expect(await filesIn(place.bundles)).toEqual([]);
  });

  test('in the middle of the conversion leaves the checkpoint, and nothing beside it', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const stopping = new AbortController();
    const stopped = pull(hub, place, {
      signal: stopping.signal,
      onProgress: ({ doing }) => {
        if (doing === 'converting') stopping.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(await readdir(place.bundles)).toEqual([]);
    asked();
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'converted' } });
    expect(asked()).toEqual([]);
  });
});

describe('another commit', () => {
  const later = 'd'.repeat(40);

  test('brings only what it changed, and what it has not is gone', async () => {
    const [model, clip] = await llavaRepositories();
    const place = await scratch();
    await pull((await serveAll(model!, clip!)).hub, place);
    // Shards instead of one file, no generation_config.json, and another text that nobody needs.
    const { 'model.safetensors': whole, 'generation_config.json': _, ...rest } = model!.files;
    const shard = 'model-00001-of-00001.safetensors';
    const names = Object.keys(
      JSON.parse(whole!.subarray(8, 8 + Number(whole!.readBigUInt64LE(0))).toString()),
    );
    const weight_map = Object.fromEntries(
      names.filter((name) => name !== '__metadata__').map((name) => [name, shard]),
    );
    const index = Buffer.from(JSON.stringify({ weight_map }));
    const files = {
      ...rest,
      [shard]: whole!,
      'model.safetensors.index.json': index,
      'README.md': Buffer.from('new'),
    };
    const { hub, asked } = await serveAll({ ...model!, files, commit: later }, clip!);
    expect(await pull(hub, place)).toMatchObject({
      model: { commit: later },
      bundle: { status: 'converted' },
    });
    expect(asked()).toEqual([
      `${llava.repository}/model.safetensors.index.json`,
      `${llava.repository}/${shard}`,
    ]);
    const left = await filesIn(path.join(place.checkpoints, 'liuhaotian--llava-v1.5-7b'));
    expect(left).toEqual(
      Object.keys(files)
        .filter((name) => !(name in unneeded))
        .sort(),
    );
  });

  test('that changed nothing that is needed leaves the bundle as it is', async () => {
    const [model, clip] = await llavaRepositories();
    const place = await scratch();
    await pull((await serveAll(model!, clip!)).hub, place);
    const files = { ...model!.files, 'README.md': Buffer.from('new') };
    const { hub } = await serveAll({ ...model!, files, commit: later }, clip!);
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'present' } });
  });

  test('can be asked for by its name, and is the one that is downloaded', async () => {
    const [model, clip] = await llavaRepositories();
    const { hub, requests } = await serveAll({ ...model!, commit: later }, clip!);
    const place = await scratch();
    await pull(hub, place, { bundle: null, source: { ...llava, revision: later } });
    const files = requests.filter(({ path: at }) => at.startsWith(`/${llava.repository}/`));
    expect(files.every(({ path: at }) => at.includes(`/resolve/${later}/`))).toBe(true);
    const missing = pull(hub, place, { bundle: null, source: { ...llava, revision: 'v9' } });
    await expect(missing).rejects.toThrow(/revision v9: .*HTTP 404/);
  });
});
