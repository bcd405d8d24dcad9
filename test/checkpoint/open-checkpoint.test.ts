import { cp, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { UserError } from '../../src/core/errors.js';
import { scratchDirectory } from './scratch-directory.js';
import {
  type JsonObject,
  type SyntheticCheckpoint,
  syntheticCheckpoint,
  writeCheckpoint,
  writeJson,
} from './synthetic-checkpoint.js';

const backbones = join(import.meta.dirname, '..', 'fixtures', 'backbones');
const tinyLlava = join(import.meta.dirname, '..', '..', 'models', 'tiny-llava');

/** Opens a checkpoint, closes it and keeps what was read. */
async function read(path: string, vision?: string) {
  const checkpoint = await openCheckpoint({ path, vision });
  await checkpoint.close();
  return checkpoint;
}

/** A copy of the original-layout fixture whose `config.json` and tower config have other fields. */
async function llavaWith(change: JsonObject = {}, towerChange: JsonObject = {}): Promise<string> {
  const dir = join(scratchDirectory(), 'llava');
  await cp(join(backbones, 'llava'), dir, { recursive: true });
  await changeJson(join(dir, 'config.json'), (config) => ({ ...config, ...change }));
  await changeJson(join(dir, 'clip', 'config.json'), (config) => ({
    ...config,
    vision_config: { ...(config['vision_config'] as JsonObject), ...towerChange },
  }));
  return dir;
}

async function changeJson(path: string, change: (content: JsonObject) => JsonObject): Promise<void> {
  const content = JSON.parse(await readFile(path, 'utf8')) as JsonObject;
  await writeJson(path, change(content));
}

/** A made-up checkpoint in the HF layout, changed before it is written. */
function hfWith(change: (checkpoint: SyntheticCheckpoint) => void): Promise<string> {
  const checkpoint = syntheticCheckpoint();
  change(checkpoint);
  return writeCheckpoint(join(scratchDirectory(), 'hf'), checkpoint);
}

test('the original layout is read with the tower of its clip folder', async () => {
  const checkpoint = await read(join(backbones, 'llava'));
  expect(checkpoint).toMatchObject({
    family: { family: 'llava', layout: 'llava', template: 'llava_llama_2' },
    text: {
      shape: {
        hiddenSize: 64,
        intermediateSize: 160,
        layers: 2,
        heads: 4,
        kvHeads: 4,
        headDim: 16,
        vocabSize: 622,
        rmsNormEps: 1e-5,
        ropeTheta: 10000,
        maxPositions: 2048,
      },
    },
    tower: { kind: 'clip', shape: { layers: 2, patches: 196, activation: 'quick_gelu' } },
    projector: { kind: 'mlp2x_gelu', shape: { from: 64, to: 64, tokens: 196 } },
    image: { size: 56, rescaleFactor: 1 / 255 },
    aspect: 'pad',
    tokens: { bos: 1, eos: 2, addBos: true },
    prompt: undefined,
  });
  expect(checkpoint.tower.weights.embedding.patch.name).toBe(
    'vision_model.embeddings.patch_embedding.weight',
  );
  expect(checkpoint.sourceFiles.map(({ name }) => name).sort()).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'special_tokens_map.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'vision/config.json',
    'vision/model.safetensors',
    'vision/preprocessor_config.json',
  ]);
});

test('the HF layout is read with what its config leaves out', async () => {
  const checkpoint = await read(join(backbones, 'llava-hf'));
  expect(checkpoint).toMatchObject({
    family: { family: 'llava', layout: 'llava-hf', template: 'llava_llama_2' },
    text: { shape: { kvHeads: 4, headDim: 16, vocabSize: 686, ropeTheta: 10000, maxPositions: 4096 } },
    tower: { shape: { layers: 2, channels: 3, layerNormEps: 1e-5, activation: 'quick_gelu' } },
    aspect: undefined,
    tokens: { bos: 1, eos: 2, addBos: true },
  });
});

test('a prompt file that writes BOS itself keeps it from being added', async () => {
  const checkpoint = await read(tinyLlava);
  expect(checkpoint.prompt).toMatchObject({ before: '<s> user : ', stopStrings: ['</s>'] });
  expect(checkpoint.tokens).toEqual({ bos: 2, eos: 3, addBos: false });
});

test('an HF config may leave everything out that LLaVA-1.5 7B has by default', async () => {
  const checkpoint = syntheticCheckpoint();
  const { text_config: _, vision_config: __, ...rest } = checkpoint.config;
  const dir = await writeCheckpoint(join(scratchDirectory(), 'hf'), checkpoint);
  await writeJson(join(dir, 'config.json'), { ...rest, text_config: {} });
  expect((await refusal(read(dir))).message).toContain('the tower takes 336');
  await writeJson(join(dir, 'preprocessor_config.json'), { size: 336, crop_size: 336 });
  expect((await refusal(read(dir))).message).toContain(
    'embed_tokens.weight is [50, 24], but the config means [32000, 4096]',
  );
});

test('the tower folder is looked for as given, in clip, then as named in the config', async () => {
  const dir = await llavaWith({ mm_vision_tower: 'towers/vit' });
  await cp(join(dir, 'clip'), join(dir, 'given'), { recursive: true });
  expect((await read(dir, join(dir, 'given'))).sourceFiles.map(({ path }) => path)).toContain(
    join(dir, 'given', 'model.safetensors'),
  );
  await mkdir(join(dir, 'towers'));
  await rename(join(dir, 'clip'), join(dir, 'towers', 'vit'));
  expect((await read(dir)).sourceFiles.map(({ path }) => path)).toContain(
    join(dir, 'towers', 'vit', 'model.safetensors'),
  );
  await rm(join(dir, 'towers'), { recursive: true });
  await expect(read(dir)).rejects.toThrow(
    'needs the vision tower towers/vit, which is not beside it; download it and pass its directory with --vision',
  );
  await expect(read(dir, join(dir, 'nowhere'))).rejects.toThrow('let --vision point to');
  await expect(read(join(backbones, 'llava-hf'), dir)).rejects.toThrow('leave out --vision');
});

test('the config of a tower alone is read like that of a whole CLIP model', async () => {
  const dir = await llavaWith();
  const whole = (await read(dir)).tower.shape;
  await changeJson(join(dir, 'clip', 'config.json'), (config) => config['vision_config'] as JsonObject);
  expect((await read(dir)).tower.shape).toEqual(whole);
});

test('square images are cropped, as LLaVA does, and pad is the word for padding', async () => {
  expect((await read(await llavaWith({ image_aspect_ratio: 'square' }))).aspect).toBe('crop');
  expect((await read(await llavaWith({ image_aspect_ratio: null }))).aspect).toBeUndefined();
});

test('both key orders of the HF layout give the same parts', async () => {
  const newer = await read(await hfWith(() => {}));
  const published = await read(
    await hfWith(({ weights }) => {
      for (const [name, tensor] of [...weights]) {
        weights.delete(name);
        const renamed = name
          .replace('model.language_model.', 'language_model.model.')
          .replace('lm_head', 'language_model.lm_head')
          .replace(/^model\.(vision_tower|multi_modal)/, '$1');
        weights.set(renamed, tensor);
      }
    }),
  );
  expect(published.text.weights.layers[1]!.q.name).toBe(
    'language_model.model.layers.1.self_attn.q_proj.weight',
  );
  expect(newer.text.weights.layers[1]!.q.name).toBe('model.language_model.layers.1.self_attn.q_proj.weight');
  expect(published.text.shape).toEqual(newer.text.shape);
});

test('tensors that no part needs are ignored', async () => {
  const dir = await hfWith(({ weights }) => {
    weights.set('model.language_model.layers.0.self_attn.rotary_emb.inv_freq', {
      dims: [1],
      values: Float32Array.of(1),
    });
    weights.set('model.vision_tower.vision_model.embeddings.position_ids', {
      dims: [1],
      values: Float32Array.of(1),
    });
  });
  await expect(read(dir)).resolves.toBeDefined();
});

test('all missing tensors are named at once', async () => {
  const lost = [
    'lm_head.weight',
    'model.language_model.layers.1.mlp.up_proj.weight',
    'model.vision_tower.vision_model.encoder.layers.0.mlp.fc1.bias',
  ];
  const dir = await hfWith(({ weights }) => {
    for (const name of lost) weights.delete(name);
  });
  const { message } = await refusal(read(dir));
  expect(message).toContain('3 missing tensors');
  for (const name of lost) expect(message).toContain(name);
});

test('the layers after the selected one may be missing', async () => {
  const dir = await hfWith(({ weights }) => {
    for (const name of [...weights.keys()]) if (name.includes('encoder.layers.2')) weights.delete(name);
  });
  await expect(read(dir)).resolves.toBeDefined();
});

const refusedLlava: [field: string, config: JsonObject, tower: JsonObject][] = [
  ['rope_scaling', { rope_scaling: { type: 'linear', factor: 2 } }, {}],
  ['attention_bias', { attention_bias: true }, {}],
  ['mlp_bias', { mlp_bias: true }, {}],
  ['hidden_act', { hidden_act: 'gelu' }, {}],
  ['sliding_window', { sliding_window: 4096 }, {}],
  ['mm_projector_type', { mm_projector_type: 'ldpnetv2' }, {}],
  ['mm_use_im_start_end', { mm_use_im_start_end: true }, {}],
  ['mm_use_im_patch_token', { mm_use_im_patch_token: true }, {}],
  ['mm_vision_select_feature', { mm_vision_select_feature: 'cls_patch' }, {}],
  ['image_aspect_ratio', { image_aspect_ratio: 'anyres' }, {}],
  ['model_type', { model_type: 'llava_mistral' }, {}],
  ['num_hidden_layers', { num_hidden_layers: 1e9 }, {}],
  ['num_key_value_heads 3', { num_key_value_heads: 3 }, {}],
  ['num_attention_heads 5', { num_attention_heads: 5, num_key_value_heads: 5 }, {}],
  ['head_dim 3', { head_dim: 3 }, {}],
  ['vision layer 4', { mm_vision_select_layer: 4 }, {}],
  ['vision layer -4', { mm_vision_select_layer: -4 }, {}],
  ['hidden_act', {}, { hidden_act: 'relu' }],
  ['model_type', {}, { model_type: 'siglip_vision_model' }],
  ['num_channels', {}, { num_channels: 1 }],
  ['the tower takes 60', {}, { image_size: 60 }],
  ['num_attention_heads 7', {}, { num_attention_heads: 7 }],
];

test.each(refusedLlava)('%s is refused by name: %j %j', async (field, config, tower) => {
  const dir = await llavaWith(config, tower);
  await expectRefusal(read(dir), field);
});

const refusedHf: [field: string, change: (checkpoint: SyntheticCheckpoint) => void][] = [
  ['vision_feature_layer', ({ config }) => Object.assign(config, { vision_feature_layer: [-2, -5] })],
  [
    'vision_feature_select_strategy',
    ({ config }) => Object.assign(config, { vision_feature_select_strategy: 'full' }),
  ],
  ['projector_hidden_act', ({ config }) => Object.assign(config, { projector_hidden_act: 'relu' })],
  ['multimodal_projector_bias', ({ config }) => Object.assign(config, { multimodal_projector_bias: false })],
  ['model_type', ({ config }) => Object.assign(config, { model_type: 'llava_next' })],
  ['text_config: model_type', ({ config }) => Object.assign(config.text_config, { model_type: 'mistral' })],
  [
    'text_config: rope_parameters',
    ({ config }) => Object.assign(config.text_config, { rope_parameters: { rope_type: 'llama3' } }),
  ],
  [
    'resample',
    ({ files }) =>
      Object.assign(files, { 'preprocessor_config.json': { size: 12, crop_size: 12, resample: 2 } }),
  ],
  [
    'do_center_crop',
    ({ files }) =>
      Object.assign(files, {
        'preprocessor_config.json': { size: 12, crop_size: 12, do_center_crop: false },
      }),
  ],
  [
    'crop_size',
    ({ files }) => Object.assign(files, { 'preprocessor_config.json': { size: 14, crop_size: 12 } }),
  ],
  [
    'size: must be',
    ({ files }) =>
      Object.assign(files, {
        'preprocessor_config.json': { size: { height: 12, width: 13 }, crop_size: 12 },
      }),
  ],
  ['has neither tokenizer.json nor tokenizer.model', ({ files }) => delete files['tokenizer.json']],
  [
    'add_bos_token',
    ({ files }) =>
      Object.assign(files, { 'tokenizer_config.json': { tokenizer_class: 'PreTrainedTokenizerFast' } }),
  ],
  [
    'eos_token_id lists 2',
    ({ files }) => Object.assign(files, { 'generation_config.json': { eos_token_id: [2, 3] } }),
  ],
  [
    'token 50 is not in the vocabulary',
    ({ files }) => Object.assign(files, { 'generation_config.json': { bos_token_id: 50 } }),
  ],
  [
    'image_separator',
    ({ files }) =>
      Object.assign(files, {
        'prompt.json': { before_question: '', after_question: '', image_separator: ' ' },
      }),
  ],
  ['after_question', ({ files }) => Object.assign(files, { 'prompt.json': { before_question: '' } })],
];

test.each(refusedHf)('%s is refused by name in the HF layout', async (field, change) => {
  const dir = await hfWith((checkpoint) => void change(checkpoint));
  await expectRefusal(read(dir), field);
});

test('what is not a LLaVA checkpoint is refused with what is', async () => {
  const dir = scratchDirectory();
  await expectRefusal(read(join(dir, 'nowhere')), 'is not a directory');
  await expectRefusal(read(dir), 'config.json: does not exist');
  await writeFile(join(dir, 'config.json'), '{"model_type": ');
  await expectRefusal(read(dir), 'is not JSON');
  await writeJson(join(dir, 'config.json'), { model_type: 'llama', hidden_size: 64 });
  await expectRefusal(
    read(dir),
    'is not the config of a LLaVA, MobileVLM_V2 or InternVL-Chat model (model_type llama)',
  );
  await truncate(join(dir, 'config.json'), 2 ** 30);
  await expectRefusal(read(dir), 'config.json: has 1073741824 bytes, more than');
});

test('plain rotary positions may be spelt out, and their base is taken from there', async () => {
  const dir = await hfWith(({ config }) => {
    config.text_config['rope_parameters'] = { rope_type: 'default', rope_theta: 20000 };
  });
  expect((await read(dir)).text.shape.ropeTheta).toBe(20000);
});

test('heads may be wider together than the model when their size is given', async () => {
  const checkpoint = syntheticCheckpoint({ heads: 4, kvHeads: 2, headDim: 10, hidden: 24 });
  const dir = await writeCheckpoint(join(scratchDirectory(), 'wide'), checkpoint);
  expect((await read(dir)).text.shape).toMatchObject({ heads: 4, kvHeads: 2, headDim: 10, hiddenSize: 24 });
});

async function expectRefusal(attempt: Promise<unknown>, part: string): Promise<void> {
  const { message, problem } = await refusal(attempt);
  expect(message).toContain(part);
  expect(message).not.toContain('\n');
  expect(problem.fix).toBeDefined();
}

async function refusal(attempt: Promise<unknown>): Promise<UserError> {
  const failure = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof UserError) return failure;
  throw new Error(`expected a UserError, got ${failure}`);
}
