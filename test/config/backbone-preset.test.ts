import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { promptTemplateNames } from '../../src/backbone/prompt-template.js';
import { type BackbonePreset, isRepositoryId, readPreset } from '../../src/config/backbone-preset.js';
import { UserError } from '../../src/core/errors.js';
import { repositoryPath } from '../support/fixture-path.js';

const whole = `repository: liuhaotian/llava-v1.5-7b
revision: main
vision:
  repository: openai/clip-vit-large-patch14-336
template: v1
parameters: 7e9
notes: a note
`;

function read(text: string): BackbonePreset {
  return readPreset({ text, file: 'my.yaml', templates: promptTemplateNames });
}

function refusal(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}

test('a preset names repositories, template and size', () => {
  expect(read(whole)).toEqual({
    repository: 'liuhaotian/llava-v1.5-7b',
    revision: 'main',
    vision: { repository: 'openai/clip-vit-large-patch14-336', revision: 'main' },
    template: 'v1',
    parameters: 7e9,
    notes: 'a note',
  });
});

test.each([
  [
    'a misspelt key',
    whole.replace('template', 'templat'),
    'my.yaml:5:1: templat: unknown key "templat"; did you mean template? known: repository, ',
  ],
  [
    'a key of another kind',
    `${whole}dtype: int4\n`,
    'my.yaml:8:1: dtype: unknown key "dtype"; known: repository, revision, vision, ',
  ],
  [
    'a misspelt key below',
    whole.replace('  repository', '  repo'),
    'my.yaml:4:3: vision.repo: unknown key "repo"; did you mean repository? known: repository, revision',
  ],
  [
    'a missing key',
    whole.replace(/notes.*/, ''),
    'my.yaml:1:1: missing key "notes"; configs/backbones/llava-1.5-7b.yaml shows every key',
  ],
  [
    'no owner',
    whole.replace('liuhaotian/', ''),
    'my.yaml:1:13: repository: is not the owner/name of a repository; write it as the hub does',
  ],
  [
    'a path',
    whole.replace('openai/', '../../'),
    'my.yaml:4:15: vision.repository: is not the owner/name of a repository; ',
  ],
  [
    'an unknown template',
    whole.replace('v1\n', 'vicuna\n'),
    'my.yaml:5:11: template: unknown prompt template "vicuna"; did you mean vicuna_v1? use llava_llama_2, ',
  ],
  ['no size', whole.replace('7e9', '0'), 'my.yaml:6:13: parameters: 0 is out of range; choose above 0'],
  [
    'a size in words',
    whole.replace('7e9', '7B'),
    'my.yaml:6:13: parameters: expected a number, found "7B"; ',
  ],
  [
    'a list',
    '- repository: a/b\n',
    'my.yaml:1:1: expected keys such as repository: and revision:; start from configs/backbones/llava-1.5-7b.yaml',
  ],
])('a preset with %s is refused by place and field', (_, text, expected) => {
  expect(refusal(text).slice(0, expected.length)).toBe(expected);
});

describe('the name of a repository', () => {
  test.each([
    'a/b',
    'llava-hf/llava-1.5-7b-hf',
    'mtgv/MobileVLM_V2-1.7B',
    'OpenGVLab/InternVL-Chat-ViT-6B-Vicuna-7B',
  ])('may be %s', (name) => {
    expect(isRepositoryId(name)).toBe(true);
  });

  test.each([
    '',
    'a',
    'a/b/c',
    '/a',
    'a/',
    'a/..',
    '../a',
    './a',
    'a/.b',
    'a/b.',
    'a//b',
    'a--b/c',
    'a/b c',
    'a/b\n',
    `${'a'.repeat(97)}/b`,
  ])('may not be %j', (name) => {
    expect(isRepositoryId(name)).toBe(false);
  });
});

test('every preset of the package is valid and has the backbones of the paper', async () => {
  const folder = repositoryPath('configs/backbones');
  const presets = new Map<string, BackbonePreset>();
  for (const file of await readdir(folder)) {
    const text = await readFile(path.join(folder, file), 'utf8');
    presets.set(path.parse(file).name, readPreset({ text, file, templates: promptTemplateNames }));
  }
  const repositories = [...presets.values()].map(({ repository }) => repository);
  expect(repositories).toEqual(
    expect.arrayContaining([
      'liuhaotian/llava-v1.5-7b',
      'liuhaotian/llava-v1.5-13b',
      'mtgv/MobileVLM_V2-3B',
      'OpenGVLab/InternVL-Chat-ViT-6B-Vicuna-7B',
    ]),
  );
  // LOOK-M's choice for each family.
  for (const [name, { template }] of presets) {
    const expected = { llava: 'llava_llama_2', mobilevlm: 'v1', internvl: 'internlm2-chat' };
    expect(template, name).toBe(expected[name.split('-')[0] as keyof typeof expected]);
  }
});
