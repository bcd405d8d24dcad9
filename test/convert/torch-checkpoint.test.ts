import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { sha256 } from '../../src/core/content-hash.js';
import { rawTensors } from '../checkpoint/raw-tensors.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import { writeTorch } from '../checkpoint/write-torch.js';
import { fixturePath } from '../support/fixture-path.js';
import { anyPrompt } from './bundle-sessions.js';

const original = fixturePath('backbones/llava');

/** Hashes of all files of a bundle but its manifest, and the manifest without what it says of the checkpoint's files. */
async function bundleOf(checkpoint: string) {
  const out = join(scratchDirectory(), 'bundle');
  const options = { checkpoint, out, dtype: 'fp32', prompt: anyPrompt, name: 'same' } as const;
  const { source, ...manifest } = await convertCheckpoint(options);
  if (source.kind !== 'checkpoint') throw new Error('made of no checkpoint');
  const names = (await readdir(out)).filter((name) => name !== 'bundle.json').sort();
  const hashes = names.map(async (name) => [name, sha256(await readFile(join(out, name)))] as const);
  return { sources: source.files.map(({ path }) => path), manifest, files: await Promise.all(hashes) };
}

/** A copy of the checkpoint whose weights, the tower's included, are saved by `save` instead. */
async function resaved(save: (dir: string) => Promise<void>): Promise<string> {
  const checkpoint = join(scratchDirectory(), 'llava');
  await cp(original, checkpoint, { recursive: true });
  for (const dir of [checkpoint, join(checkpoint, 'clip')]) {
    await save(dir);
    await rm(join(dir, 'model.safetensors'));
  }
  return checkpoint;
}

test.each(['zip', 'legacy'] as const)(
  'torch weights in the %s format give the same bundle',
  async (format) => {
    const checkpoint = await resaved(async (dir) => {
      const tensors = await rawTensors(join(dir, 'model.safetensors'));
      await writeTorch(join(dir, 'pytorch_model.bin'), tensors, format);
    });
    const { sources, ...bundle } = await bundleOf(checkpoint);
    const { sources: _, ...expected } = await bundleOf(original);
    expect(bundle).toEqual(expected);
    expect(sources.filter((name) => /model\./.test(name))).toEqual([
      'pytorch_model.bin',
      'vision/pytorch_model.bin',
    ]);
  },
);

test('shards of torch weights give the same bundle', async () => {
  const checkpoint = await resaved(async (dir) => {
    const tensors = [...(await rawTensors(join(dir, 'model.safetensors')))];
    const weightMap: Record<string, string> = {};
    for (const shard of [1, 2, 3]) {
      const file = `pytorch_model-0000${shard}-of-00003.bin`;
      const ofShard = tensors.filter((_, i) => i % 3 === shard - 1);
      await writeTorch(join(dir, file), new Map(ofShard));
      for (const [name] of ofShard) weightMap[name] = file;
    }
    const index = JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap });
    await writeFile(join(dir, 'pytorch_model.bin.index.json'), index);
  });
  const { sources, ...bundle } = await bundleOf(checkpoint);
  const { sources: _, ...expected } = await bundleOf(original);
  expect(bundle).toEqual(expected);
  expect(sources.filter((name) => name.startsWith('pytorch_model'))).toHaveLength(4);
});
