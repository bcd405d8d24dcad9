import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPromptTemplate } from '../../src/backbone/prompt-template.js';
import { backboneFamilies, familyOf, towerRepository } from '../../src/checkpoint/families/registry.js';
import { fixturePath } from '../support/fixture-path.js';
import { scratchDirectory } from './scratch-directory.js';
import { writeJson } from './synthetic-checkpoint.js';

async function checkpointOf(config: object): Promise<string> {
  const dir = scratchDirectory();
  await writeJson(join(dir, 'config.json'), config);
  return dir;
}

test('layouts have names of their own and templates that exist', () => {
  const layouts = backboneFamilies.map(({ layout }) => layout);
  expect(new Set(layouts).size).toBe(layouts.length);
  const templates = backboneFamilies.map(({ family, template }) => [
    family,
    findPromptTemplate(template).name,
  ]);
  expect(Object.fromEntries(templates)).toEqual({
    llava: 'llava_llama_2',
    mobilevlm: 'v1',
    internvl: 'internlm2-chat',
  });
});

test.each(['llava', 'llava-hf', 'mobilevlm', 'internvl'])('%s is told by its config', async (layout) => {
  expect((await familyOf(fixturePath(`backbones/${layout}`))).layout).toBe(layout);
});

test.each([
  ['./pretrained/intern_vit_6b_448px', 'internvl'],
  ['OpenGVLab/InternViT-6B-448px-V1-2', 'internvl'],
  ['internvit6b', 'internvl'],
  ['openai/clip-vit-large-patch14-336', 'llava'],
])('a tower named %s makes it %s', async (mm_vision_tower, layout) => {
  const dir = await checkpointOf({ model_type: 'llava_llama', mm_vision_tower });
  expect((await familyOf(dir)).layout).toBe(layout);
});

test('what is needed of another repository is told from the config alone', async () => {
  const clip = 'openai/clip-vit-large-patch14-336';
  const needed = async (config: object) => towerRepository(await checkpointOf(config));
  expect(await needed({ model_type: 'llava_llama', mm_vision_tower: clip })).toEqual({
    name: clip,
    preprocessor: true,
    weights: true,
  });
  expect(await needed({ model_type: 'mobilevlm', mm_vision_tower: clip })).toEqual({
    name: clip,
    preprocessor: true,
    weights: false,
  });
  const internVit = 'OpenGVLab/InternViT-6B-224px';
  expect(await needed({ model_type: 'llava_llama', mm_vision_tower: internVit })).toEqual({
    name: internVit,
    preprocessor: false,
    weights: true,
  });
  expect(await needed({ model_type: 'llava', text_config: {} })).toBeNull();
});

test('a config of no family is refused by its model type', async () => {
  const dir = scratchDirectory();
  await mkdir(join(dir, 'qwen'));
  await writeFile(join(dir, 'qwen', 'config.json'), '{"model_type": "qwen2"}');
  await expect(familyOf(join(dir, 'qwen'))).rejects.toThrow(
    'qwen/config.json: is not the config of a LLaVA, MobileVLM_V2 or InternVL-Chat model (model_type qwen2)',
  );
});
