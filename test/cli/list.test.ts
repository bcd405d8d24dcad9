import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lookm, scratch } from './fake-shell.js';

test('lookm list methods shows every method with what it does', async () => {
  const { code, stdout } = await lookm(['list', 'methods']);
  expect(code).toBe(0);
  for (const name of ['full', 'h2o', 'snapkv', 'roco', 'look-m-a', 'look-m-tp-p'])
    expect(stdout).toMatch(new RegExp(`^${name} +paper +\\w`, 'm'));
  for (const name of ['look-m-tp', 'random', 'image-random', 'matched:<method>\\[/<rule>\\]'])
    expect(stdout).toMatch(new RegExp(`^${name} +control +\\w`, 'm'));
});

test('lookm list stages shows the rules that compositions are made of, with their options', async () => {
  const { stdout } = await lookm(['list', 'stages', '--json']);
  const rules: { stage: string; rule: string; options: string }[] = JSON.parse(stdout);
  expect([...new Set(rules.map(({ stage }) => stage))]).toEqual([
    'score',
    'prior',
    'select',
    'merge',
    'quantise',
    'allocate',
  ]);
  expect(rules.find(({ rule }) => rule === 'window')?.options).toBe(
    'size = 32, width = 5, pooling = "average"',
  );
  expect(rules.find(({ rule }) => rule === 'weights')?.options).toBe('layers');
});

test('lookm list tasks shows the embedded dataset in the order of columns, or another', async () => {
  const { stdout } = await lookm(['list', 'tasks', '--json']);
  const tasks: { name: string; column: string }[] = JSON.parse(stdout);
  expect(tasks).toHaveLength(11);
  expect(tasks[0]).toEqual({ name: 'ShapeExistence', column: 'T-2', metric: 'accuracy' });
  const other = await lookm(['list', 'tasks', '--dataset', 'models']);
  expect(other).toMatchObject({ code: 2, stdout: '' });
});

test('lookm list backbones shows embedded ones, presets and the cache', async () => {
  const cache = await scratch();
  await mkdir(path.join(cache, 'bundles/llava-abc'), { recursive: true });
  await mkdir(path.join(cache, 'pulled/me--mine/.fp32.part-1-abc'), { recursive: true });
  const { stdout } = await lookm(['list', 'backbones', '--json'], { env: { LOOKM_CACHE: cache } });
  const items: { name: string; kind: string }[] = JSON.parse(stdout);
  const none = { parameters: '', pulled: '' };
  expect(items.filter(({ kind }) => kind !== 'preset')).toEqual([
    { name: 'tiny-llava', kind: 'embedded', ...none, use: '--backbone tiny-llava' },
    { name: 'me/mine', kind: 'repository', ...none, use: 'lookm pull me/mine' },
    {
      name: 'llava-abc',
      kind: 'converted',
      ...none,
      use: `--backbone ${path.join(cache, 'bundles/llava-abc')}`,
    },
  ]);
  expect(items).toContainEqual({
    ...{ name: 'mobilevlm-v2-3b', kind: 'preset', parameters: '3.0 B', pulled: '' },
    use: 'lookm pull mobilevlm-v2-3b',
  });
});

test('lookm list of something else says what there is', async () => {
  const { code, stderr } = await lookm(['list', 'models']);
  expect(code).toBe(2);
  expect(stderr).toContain('Allowed choices are methods, stages, tasks, backbones.');
});
