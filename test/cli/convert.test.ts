import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundleManifestSchema } from '../../src/backbone/bundle-manifest.js';
import { lookm, packageRoot, scratch } from './fake-shell.js';

test('lookm convert writes a bundle, does not replace it by accident, and says how to use it', async () => {
  const cwd = await scratch();
  const command = ['convert', path.join(packageRoot, 'models/tiny-llava'), '--out', 'tiny'];
  const first = await lookm(command, { cwd });
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(
    /^Done: tiny \([\d.]+ MiB, 4 layers, fp32, prompt custom\)\.\nNext: lookm bench --backbone tiny\n$/,
  );
  const manifest = await readFile(path.join(cwd, 'tiny/bundle.json'), 'utf8');
  expect(bundleManifestSchema.parse(JSON.parse(manifest)).name).toBe('tiny');
  const second = await lookm(command, { cwd });
  expect(second).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: tiny: already exists; give another --out or --force\n',
  });
  expect(await lookm([...command, '--force', '--quiet'], { cwd })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect(await readFile(path.join(cwd, 'tiny/bundle.json'), 'utf8')).toBe(manifest);
});

test('lookm convert names what it cannot read and leaves nothing behind', async () => {
  const cwd = await scratch();
  await mkdir(path.join(cwd, 'empty'));
  const { code, stderr } = await lookm(['convert', 'empty', '--out', 'bundle'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: .*config\.json.*\n$/);
  const template = await lookm(['convert', 'empty', '--out', 'b', '--template', 'v2'], { cwd });
  expect(template.stderr).toContain('Allowed choices are llava_llama_2, ');
});
