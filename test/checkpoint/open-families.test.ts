import { cp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { internVitConfigSchema, internVitShape } from '../../src/checkpoint/towers/internvit-config.js';
import { fixturePath } from '../support/fixture-path.js';
import { scratchDirectory } from './scratch-directory.js';
import { type JsonObject, writeJson } from './synthetic-checkpoint.js';

const internVit = 'InternViT-6B-224px';

/** Opens a checkpoint, closes it and keeps what was read. */
async function read(path: string, vision?: string) {
  const checkpoint = await openCheckpoint({ path, vision });
  await checkpoint.close();
  return checkpoint;
}

/** A copy of a fixture some of whose JSON files have other fields. */
async function changed(
  family: 'mobilevlm' | 'internvl',
  changes: Readonly<Record<string, JsonObject>> = {},
): Promise<string> {
  const dir = join(scratchDirectory(), family);
  await cp(fixturePath(`backbones/${family}`), dir, { recursive: true });
  for (const [name, fields] of Object.entries(changes)) {
    const path = join(dir, name);
    await writeJson(path, { ...(JSON.parse(await readFile(path, 'utf8')) as JsonObject), ...fields });
  }
  return dir;
}

function folders(sourceFiles: readonly { readonly path: string; readonly name: string }[], name: string) {
  return sourceFiles.filter((file) => file.name === name).map(({ path }) => path);
}

test('MobileVLM_V2 uses the tower in the checkpoint and the configs of the CLIP folder', async () => {
  const dir = await changed('mobilevlm');
  const { family, text, tower, projector, image, aspect, sourceFiles } = await read(dir);
  expect(family).toMatchObject({ family: 'mobilevlm', layout: 'mobilevlm', template: 'v1' });
  expect(text.shape).toMatchObject({ hiddenSize: 64, heads: 4, kvHeads: 4, layers: 3, rmsNormEps: 1e-6 });
  expect(tower).toMatchObject({ kind: 'clip', shape: { layers: 2, imageSize: 48, patches: 576 } });
  expect(tower.weights.embedding.patch.name).toBe(
    'model.vision_tower.vision_tower.vision_model.embeddings.patch_embedding.weight',
  );
  expect(projector).toMatchObject({ kind: 'ldpnetv2', shape: { from: 48, to: 64, tokens: 144 } });
  expect({ size: image.size, aspect }).toEqual({ size: 48, aspect: 'pad' });
  expect(sourceFiles.map(({ name }) => name).filter((name) => name.startsWith('vision/'))).toEqual([
    'vision/config.json',
    'vision/preprocessor_config.json',
  ]);
});

test('InternVL-Chat uses the tower of its own folder at the size of the images', async () => {
  const dir = await changed('internvl');
  const { family, tower, projector, image, sourceFiles } = await read(dir);
  expect(family).toMatchObject({ family: 'internvl', layout: 'internvl', template: 'internlm2-chat' });
  expect(tower).toMatchObject({
    kind: 'internvit',
    shape: { layers: 3, imageSize: 63, patches: 81, trainedGrid: 6, qkNorm: true, qkvBias: false },
  });
  expect(tower.weights.embedding.patch.name).toBe('embeddings.patch_embedding.weight');
  expect(projector).toMatchObject({ kind: 'mlp2x_gelu', shape: { from: 80, to: 64, tokens: 81 } });
  expect(image.mean).toEqual([0.485, 0.456, 0.406]);
  expect(folders(sourceFiles, 'vision/model.safetensors')).toEqual([
    join(dir, internVit, 'model.safetensors'),
  ]);
  expect(folders(sourceFiles, 'preprocessor_config.json')).toEqual([join(dir, 'preprocessor_config.json')]);
});

test.each([
  [`OpenGVLab/${internVit}`, 336],
  ['./pretrained/intern_vit_6b_448px', 448],
])(
  'without a preprocessor file, %s takes images of %i pixels, whatever its own repository says',
  async (name, size) => {
    const dir = await changed('internvl', { 'config.json': { mm_vision_tower: name } });
    await rename(join(dir, 'preprocessor_config.json'), join(dir, internVit, 'preprocessor_config.json'));
    const { image, tower, projector } = await read(dir, join(dir, internVit));
    expect(image).toEqual({
      size,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      rescaleFactor: 1 / 255,
    });
    expect(tower.shape).toMatchObject({
      imageSize: size,
      patches: Math.floor(size / 7) ** 2,
      trainedGrid: 6,
    });
    expect(projector.shape.tokens).toBe(Math.floor(size / 7) ** 2);
  },
);

test('an InternViT folder is also found next to the checkpoint, and as named in the config', async () => {
  const dir = await changed('internvl');
  const beside = join(dir, '..', internVit);
  await rename(join(dir, internVit), beside);
  expect(folders((await read(dir)).sourceFiles, 'vision/config.json')).toEqual([join(beside, 'config.json')]);

  const named = await changed('internvl', { 'config.json': { mm_vision_tower: beside } });
  await rm(join(named, internVit), { recursive: true });
  expect(folders((await read(named)).sourceFiles, 'vision/config.json')).toEqual([
    join(beside, 'config.json'),
  ]);
});

test('an InternViT config may leave everything out that the 6B tower has', () => {
  const config = internVitConfigSchema.parse({ model_type: 'intern_vit_6b' });
  expect(internVitShape(config, { selectLayer: -4, imageSize: 336 })).toEqual({
    ...{ hiddenSize: 3200, intermediateSize: 12800, heads: 25, layers: 45, channels: 3 },
    ...{ imageSize: 336, patchSize: 14, patches: 576, trainedGrid: 16 },
    ...{ rmsNormEps: 1e-6, qkNorm: true, qkvBias: false },
  });
});

test('missing tensors of a tower are said to be missing in its folder', async () => {
  const dir = await changed('internvl', { [`${internVit}/config.json`]: { qkv_bias: true } });
  await expect(read(dir)).rejects.toThrow(
    `${join(dir, internVit)}: 3 missing tensors: encoder.layers.0.attn.qkv.bias, `,
  );
});

const tower = `${internVit}/config.json`;
const refused: [what: string, family: 'mobilevlm' | 'internvl', changes: Record<string, JsonObject>][] = [
  ['mm_projector_type: only ldpnetv2', 'mobilevlm', { 'config.json': { mm_projector_type: 'ldpnet' } }],
  ['vision_tower_type: only clip', 'mobilevlm', { 'config.json': { vision_tower_type: 'siglip' } }],
  ['mm_use_im_start_end', 'mobilevlm', { 'config.json': { mm_use_im_start_end: true } }],
  ['vision layer -4', 'mobilevlm', { 'config.json': { mm_vision_select_layer: -4 } }],
  ['the tower takes 48', 'mobilevlm', { 'clip/preprocessor_config.json': { size: 50, crop_size: 50 } }],
  ['rope_scaling', 'mobilevlm', { 'config.json': { rope_scaling: { type: 'linear', factor: 2 } } }],
  [
    'embed_tokens.weight is [622, 64], but the config means [622, 80]',
    'mobilevlm',
    { 'config.json': { hidden_size: 80 } },
  ],
  ['mm_projector_type: only mlp2x_gelu', 'internvl', { 'config.json': { mm_projector_type: 'linear' } }],
  ['model_type: only InternVL-Chat with a Llama', 'internvl', { 'config.json': { model_type: 'internlm' } }],
  ['vision layer -7', 'internvl', { 'config.json': { mm_vision_select_layer: -7 } }],
  ['image_aspect_ratio', 'internvl', { 'config.json': { image_aspect_ratio: 'anyres' } }],
  ['model_type: only an InternViT tower', 'internvl', { [tower]: { model_type: 'clip_vision_model' } }],
  ['norm_type: only rms_norm', 'internvl', { [tower]: { norm_type: 'layer_norm' } }],
  ['hidden_act: only gelu', 'internvl', { [tower]: { hidden_act: 'quick_gelu' } }],
  ['patch_size 64 is larger than image_size 63', 'internvl', { [tower]: { patch_size: 64 } }],
  ['num_attention_heads 3', 'internvl', { [tower]: { num_attention_heads: 3 } }],
  ['hidden_size', 'internvl', { [tower]: { hidden_size: 1e9 } }],
];

test.each(refused)('%s is refused by name in %s', async (what, family, changes) => {
  const path = await changed(family, changes);
  await expect(read(path)).rejects.toThrow(what);
});
