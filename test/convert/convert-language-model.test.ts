import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { convertLanguageModel } from '../../src/convert/convert-language-model.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import { type RawTensor, writeSafetensors } from '../checkpoint/write-safetensors.js';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';
import { anyPrompt } from './bundle-sessions.js';

const families = ['mobilevlm', 'internvl'] as const;
type Family = (typeof families)[number] | 'llava';

function source(family: Family): string {
  return fixturePath(`backbones/${family}`);
}

/** Every tensor of a checkpoint, as its bytes lie in the file. */
async function rawTensors(family: Family): Promise<Map<string, RawTensor>> {
  const content = await readFile(join(source(family), 'model.safetensors'));
  const start = 8 + Number(content.readBigUInt64LE(0));
  const entry = z.object({
    dtype: z.string(),
    shape: z.array(z.int()),
    data_offsets: z.tuple([z.int(), z.int()]),
  });
  const { __metadata__: _, ...header } = z
    .looseObject({})
    .parse(JSON.parse(content.subarray(8, start).toString()));
  return new Map(
    Object.entries(z.record(z.string(), entry).parse(header)).map(
      ([name, { dtype, shape, data_offsets }]) => {
        const [from, to] = data_offsets;
        return [name, { dtype, dims: shape, data: content.subarray(start + from, start + to) }] as const;
      },
    ),
  );
}

/** A directory with a config, changed, and the weights given: nothing else of a checkpoint. */
async function checkpoint(
  family: Family,
  tensors: ReadonlyMap<string, RawTensor>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const dir = join(scratchDirectory(), family);
  await mkdir(dir);
  const original = readJson(join(source(family), 'config.json'), z.looseObject({}));
  await writeFile(join(dir, 'config.json'), JSON.stringify({ ...original, ...config }));
  await writeSafetensors(join(dir, 'model.safetensors'), tensors);
  return dir;
}

/** Every file of a directory by name. */
async function contents(dir: string): Promise<Record<string, string>> {
  const names = (await readdir(dir)).sort();
  const files = names.map(
    async (name) => [name, (await readFile(join(dir, name))).toString('latin1')] as const,
  );
  return Object.fromEntries(await Promise.all(files));
}

test('the files are those of the whole bundle', async () => {
  const scratch = scratchDirectory();
  const [part, whole] = [join(scratch, 'part'), join(scratch, 'whole')];
  const manifest = await convertLanguageModel({ checkpoint: source('llava'), out: part });
  const { text, embedding, graphs } = await convertCheckpoint({
    checkpoint: source('llava'),
    out: whole,
    dtype: 'fp32',
    prompt: anyPrompt,
  });
  expect(manifest).toEqual({ text, embedding, graphs: { segments: graphs.segments } });
  const written = await contents(part);
  expect(Object.keys(written)).toEqual([
    'embedding.bin',
    'segment-000.onnx',
    'segment-001.onnx',
    'segment-002.onnx',
    'weights.bin',
  ]);
  expect(await contents(whole)).toMatchObject(written);
});

test.each(families)('%s: tower, projector and tokenizer are not looked at', async (family) => {
  const text = new Map([...(await rawTensors(family))].filter(([name]) => !/mm_projector|vision/.test(name)));
  expect(text.size).toBe(3 + 9 * 3);
  const out = scratchDirectory();
  await convertLanguageModel({ checkpoint: await checkpoint(family, text), out: join(out, 'bare') });
  const manifest = await convertLanguageModel({ checkpoint: source(family), out: join(out, 'full') });
  expect(manifest).toMatchObject({
    text: { layers: 3, heads: 4, kvHeads: 4, headDim: 16, hiddenSize: 64, vocabSize: 622 },
    embedding: { dtype: 'BF16' },
  });
  expect(await contents(join(out, 'bare'))).toEqual(await contents(join(out, 'full')));
});

test('many weight files give what one gives', async () => {
  const tensors = [...(await rawTensors('mobilevlm'))];
  const dir = await checkpoint('mobilevlm', new Map());
  await rm(join(dir, 'model.safetensors'));
  const weightMap: Record<string, string> = {};
  for (const shard of [0, 1, 2]) {
    const ofShard = tensors.filter((_, index) => index % 3 === shard);
    await writeSafetensors(join(dir, `model-${shard}.safetensors`), new Map(ofShard));
    for (const [name] of ofShard) weightMap[name] = `model-${shard}.safetensors`;
  }
  await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  const out = scratchDirectory();
  await convertLanguageModel({ checkpoint: dir, out: join(out, 'many') });
  await convertLanguageModel({ checkpoint: source('mobilevlm'), out: join(out, 'one') });
  expect(await contents(join(out, 'many'))).toEqual(await contents(join(out, 'one')));
});

test('tied token rows serve as output matrix', async () => {
  const tensors = await rawTensors('internvl');
  tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!);
  const untied = await checkpoint('internvl', tensors);
  tensors.delete('lm_head.weight');
  const tied = await checkpoint('internvl', tensors, { tie_word_embeddings: true });
  const out = scratchDirectory();
  await convertLanguageModel({ checkpoint: untied, out: join(out, 'untied') });
  await convertLanguageModel({ checkpoint: tied, out: join(out, 'tied') });
  expect(await contents(join(out, 'tied'))).toEqual(await contents(join(out, 'untied')));
});

test('all missing and unusable tensors are named at once, and nothing is left behind', async () => {
  const tensors = await rawTensors('internvl');
  const lost = ['model.norm.weight', 'lm_head.weight', 'model.layers.2.mlp.up_proj.weight'];
  for (const name of lost) tensors.delete(name);
  const norm = 'model.layers.0.input_layernorm.weight';
  tensors.set(norm, { ...tensors.get(norm)!, dims: [8, 8] });
  const dir = await checkpoint('internvl', tensors);
  const out = scratchDirectory();
  const refused = expect(convertLanguageModel({ checkpoint: dir, out: join(out, 'out') })).rejects;
  await refused.toThrow(
    `${dir}: 3 missing tensors: ${[lost[2], lost[0], lost[1]].join(', ')}; ` +
      `1 unusable tensors: ${norm} is [8, 8], but the config means [64]; check that config.json`,
  );
  expect(await readdir(out)).toEqual([]);
});

test.each([
  ['rope_scaling', { rope_scaling: { type: 'linear', factor: 2 } }],
  ['attention_bias', { attention_bias: true }],
  ['hidden_act', { hidden_act: 'gelu' }],
  ['model_type', { model_type: 'llava_qwen' }],
  ['num_attention_heads 4 is not a multiple', { num_key_value_heads: 3 }],
])('a language model that is no plain Llama is refused: %s', async (field, config) => {
  const dir = await checkpoint('mobilevlm', await rawTensors('mobilevlm'), config);
  const refused = expect(
    convertLanguageModel({ checkpoint: dir, out: join(scratchDirectory(), 'out') }),
  ).rejects;
  await refused.toThrow(field);
});

test('a directory with other files in it is not written to', async () => {
  const out = scratchDirectory();
  await writeFile(join(out, 'notes.txt'), '');
  const refused = expect(convertLanguageModel({ checkpoint: source('internvl'), out })).rejects;
  await refused.toThrow('is a directory with other files in it');
  expect(await readdir(out)).toEqual(['notes.txt']);
});

test.each([
  ['mobilevlm', 'model_type: only LLaVA with a Llama language model is supported'],
  ['mobilevlm', 'mm_projector_type: only mlp2x_gelu is supported'],
  ['internvl', 'needs the CLIP tower OpenGVLab/InternViT-6B-224px, which is not beside it'],
] as const)('a whole bundle of %s is refused: %s', async (family, what) => {
  const out = join(scratchDirectory(), 'out');
  const options = { checkpoint: source(family), out, dtype: 'fp32', prompt: anyPrompt } as const;
  await expect(convertCheckpoint(options)).rejects.toThrow(what);
});

test('the InternViT tower is refused as a tower too', async () => {
  const dir = join(scratchDirectory(), 'internvl');
  await cp(source('internvl'), dir, { recursive: true });
  const options = { checkpoint: dir, vision: join(dir, 'InternViT-6B-224px'), dtype: 'fp32' } as const;
  const out = join(scratchDirectory(), 'out');
  await expect(convertCheckpoint({ ...options, out, prompt: anyPrompt })).rejects.toThrow(
    'InternViT-6B-224px/config.json: model_type: only a CLIP vision tower is supported',
  );
});
