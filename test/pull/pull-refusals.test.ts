import { stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { lockDirectory } from '../../src/core/directory-lock.js';
import type { PullRequest } from '../../src/pull/pull-backbone.js';
import { fixturePath } from '../support/fixture-path.js';
import { llavaRepositories } from './fixture-repositories.js';

import { filesIn, type Place, pull, scratch, serveAll } from './pull-here.js';

describe('before any weights a pull refuses', () => {
  async function refused(
    change: (files: Record<string, Buffer>) => void,
    request: Partial<PullRequest> = {},
  ): Promise<{ readonly message: string; readonly asked: string[]; readonly place: Place }> {
    const [model, ...others] = await llavaRepositories();
    const files = { ...model!.files };
    change(files);
    const { hub, asked } = await serveAll({ ...model!, files }, ...others);
    const place = await scratch();
    const message = await pull(hub, place, request).then(
      () => 'it was not refused',
      (error: Error) => error.message,
    );
    return { message, asked: asked(), place };
  }

  function changedConfig(changes: object): (files: Record<string, Buffer>) => void {
    return (files) => {
      const config = JSON.parse(files['config.json']!.toString());
      files['config.json'] = Buffer.from(JSON.stringify({ ...config, ...changes }));
    };
  }

  test.each<[string, (files: Record<string, Buffer>) => void, RegExp]>([
    [
      'a model of another kind',
      (files) => {
        files['config.json'] = Buffer.from(JSON.stringify({ model_type: 'qwen2_vl' }));
      },
      /config\.json: is not the config of a LLaVA, .*\(model_type qwen2_vl\); /,
    ],
    [
      'a projector of another kind',
      changedConfig({ mm_projector_type: 'mlp3x_gelu' }),
      /config\.json: mm_projector_type: only mlp2x_gelu is supported; /,
    ],
    [
      'a tower that is no repository',
      changedConfig({ mm_vision_tower: '/mnt/models/clip' }),
      /^model liuhaotian\/llava-v1\.5-7b: its vision tower is "\/mnt\/models\/clip", .*; name one with --vision$/,
    ],
    [
      'a repository without a config',
      (files) => {
        delete files['config.json'];
      },
      /^model liuhaotian\/llava-v1\.5-7b: it has no config\.json; /,
    ],
    [
      'a repository without weights',
      (files) => {
        for (const name of ['model.safetensors', 'pytorch_model.bin', 'pytorch_model.bin.index.json'])
          delete files[name];
      },
      /^model liuhaotian\/llava-v1\.5-7b: it has none of model\.safetensors, /,
    ],
    [
      'an index that names what is not there',
      (files) => {
        delete files['model.safetensors'];
        const weight_map = { a: 'model-00001-of-00002.safetensors' };
        files['model.safetensors.index.json'] = Buffer.from(JSON.stringify({ weight_map }));
      },
      /^model .*: model\.safetensors\.index\.json names model-00001-of-00002\.safetensors, which is not there; /,
    ],
    [
      'an index that leads elsewhere',
      (files) => {
        delete files['model.safetensors'];
        files['../evil.safetensors'] = Buffer.from('evil');
        const weight_map = { a: '../evil.safetensors' };
        files['model.safetensors.index.json'] = Buffer.from(JSON.stringify({ weight_map }));
      },
      /model\.safetensors\.index\.json: weight_map: a: \S*evil\.safetensors\S* is not a plain file name; /,
    ],
    [
      'a damaged tokenizer',
      (files) => {
        files['tokenizer_config.json'] = Buffer.from('{');
      },
      /tokenizer_config\.json: is not JSON /,
    ],
  ])('%s', async (_, change, expected) => {
    const { message, asked, place } = await refused(change);
    expect(message).toMatch(expected);
    expect(asked.filter((name) => /\.(?:safetensors|bin)$/.test(name))).toEqual([]);
    expect(await filesIn(place.bundles)).toEqual([]);
  });

  test('a disk without room for weights and bundle together', async () => {
    const asksFor = async (free: number) => {
      const { message, asked } = await refused(() => {}, { freeBytes: async () => free });
      return { message, weights: asked.filter((name) => name.endsWith('.safetensors')).length };
    };
    const { message, weights } = await asksFor(1000);
    expect(weights).toBe(0);
    const [, needed] = /some ([\d.]+) MiB are needed and 0\.0 MiB are free; free /.exec(message) ?? [];
    const files = ['llava/model.safetensors', 'llava/clip/model.safetensors'];
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(fixturePath(`backbones/${name}`))).size),
    );
    const downloads = (sizes[0]! + sizes[1]!) / 2 ** 20;
    // Float16 weights double as float32; token rows stay, and the last layer of the tower is not used.
    expect(Number(needed)).toBeGreaterThan(2 * downloads);
    expect(Number(needed)).toBeLessThan(3 * downloads);
    expect((await asksFor(100 * 2 ** 20)).message).toBe('it was not refused');
  });

  test('a folder that another process uses', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place, { bundle: null });
    const release = await lockDirectory(path.join(place.checkpoints, 'liuhaotian--llava-v1.5-7b'));
    await expect(pull(hub, place)).rejects.toThrow(
      /process \d+ is writing to it; .* give another --checkpoint-dir$/,
    );
    await release();
    await pull(hub, place);
  });
});
