import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { hubOf, serve } from '../hub/fake-hub.js';
import { clipRepository, llavaRepositories, modelRepository } from '../pull/fixture-repositories.js';
import { lookm, scratch } from './fake-shell.js';

const hf = 'llava-hf/llava-1.5-7b-hf';

/** A hub with the repositories of two presets, and an empty cache. */
async function place() {
  const { origin, asked } = await serve(
    hubOf([...(await llavaRepositories()), await modelRepository(hf, 'llava-hf')]),
  );
  const cwd = await scratch();
  const env = { LOOKM_CACHE: path.join(cwd, 'cache'), HF_ENDPOINT: origin };
  return { cwd, env, origin, asked, call: (argv: readonly string[]) => lookm(argv, { cwd, env }) };
}

describe('lookm pull', () => {
  test('brings a preset into the cache, says what is where and what comes next, and continues', async () => {
    const { env, call } = await place();
    const first = await call(['pull', 'llava-1.5-7b', '--dtype', 'fp16']);
    expect(first.code).toBe(0);
    const cache = env.LOOKM_CACHE;
    const folders = ['liuhaotian--llava-v1.5-7b', 'openai--clip-vit-large-patch14-336'].map((name) =>
      path.join(cache, 'checkpoints', name),
    );
    expect(first.stdout.replaceAll(/[\d.]+ MiB/g, '# MiB')).toBe(
      [
        `Downloaded # MiB: liuhaotian/llava-v1.5-7b at commit cccccccccccc, ${clipRepository} at commit cccccccccccc`,
        `Done: ${path.join(cache, 'pulled/llava-1.5-7b/fp16')} (# MiB)`,
        `Kept for other element types: ${folders.join(', ')} (# MiB); delete it at will, or pull with --no-keep-checkpoint`,
        'Next: lookm bench --backbone llava-1.5-7b',
        '',
      ].join('\n'),
    );
    expect(first.stderr).toMatch(/^\d+\/\d+ MiB, downloading model\.safetensors\n/);
    const again = await call(['pull', 'llava-1.5-7b', '--dtype', 'fp16', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({
      name: 'llava-1.5-7b',
      endpoint: env.HF_ENDPOINT,
      downloadedBytes: 0,
      hasCheckpoint: true,
      bundle: { status: 'present' },
    });
    expect(again.stderr).toBe('');
  });

  test('puts bundle and checkpoint where it is told, and removes the weights when told so', async () => {
    const { cwd, call } = await place();
    const argv = ['pull', hf, '--out', 'mine', '--checkpoint-dir', 'downloads', '--no-keep-checkpoint'];
    const { code, stdout } = await call(argv);
    expect({ code, kept: stdout.includes('Kept') }).toEqual({ code: 0, kept: false });
    expect(stdout).toMatch(/\nNext: lookm bench --backbone mine\n$/);
    expect((await stat(path.join(cwd, 'mine/bundle.json'))).isFile()).toBe(true);
    const left = await readdir(path.join(cwd, 'downloads/llava-hf--llava-1.5-7b-hf'));
    expect(left).toContain('config.json');
    expect(left.filter((name) => name.includes('safetensors'))).toEqual([]);
    expect(await call([...argv, '--quiet'])).toEqual({ code: 0, stdout: '', stderr: '' });
    const other = await call(['pull', hf, '--out', 'mine', '--template', 'v1']);
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toMatch(
      /mine: already exists and is not what is asked for; give another --out or --force\n$/,
    );
    expect((await call(['pull', hf, '--out', 'mine', '--template', 'v1', '--force'])).code).toBe(0);
  });

  test('downloads only, when told so, and says how to convert', async () => {
    const { env, call } = await place();
    const { code, stdout } = await call(['pull', 'llava-1.5-7b', '--no-convert']);
    expect(code).toBe(0);
    const folder = (name: string): string => path.join(env.LOOKM_CACHE, 'checkpoints', name);
    expect(stdout).toContain(
      `\nNext: lookm convert ${folder('liuhaotian--llava-v1.5-7b')} --vision ${folder('openai--clip-vit-large-patch14-336')} --template llava_llama_2 --out <bundle>\n`,
    );
    expect(await readdir(env.LOOKM_CACHE)).toEqual(['checkpoints']);
  });

  test.each<[readonly string[], RegExp]>([
    [
      ['llava-1.5-7'],
      /^error: repository: "llava-1\.5-7" is no preset and no repository; did you mean llava-1\.5-7b/,
    ],
    [
      ['../x'],
      /^error: repository: "\.\.\/x" is no preset and no repository; give a preset of `lookm list backbones`/,
    ],
    [
      ['a/b', '--vision', 'clip'],
      /^error: --vision: "clip" is no repository; write owner\/name, or owner\/name@rev/,
    ],
    [['a/b', '--block-size', '64'], /^error: --block-size: has no blocks without int4; add --dtype int4\n$/],
    [['a/b', '--no-convert', '--no-keep-checkpoint'], /^error: --no-convert: leaves nothing together with /],
    [
      ['a/b', '--endpoint', 'here'],
      /^error: --endpoint: "here" is not the address of a hub; give one like https:/,
    ],
    [['a/b', '--dtype', 'int8'], /^error: .*Allowed choices are fp32, fp16, int4\.\n$/],
    [
      ['nobody/nothing'],
      /^error: model nobody\/nothing, revision main: not found at .* \(HTTP 404\); check --revision/,
    ],
  ])('refuses %j in one line', async (argv, expected) => {
    const { code, stdout, stderr } = await (await place()).call(['pull', ...argv]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('what was pulled', () => {
  test('is found by bench, the bundle that loses least first, and shown by list', async () => {
    const { env, call } = await place();
    const bench = async (...flags: string[]): Promise<string> => {
      const { code, stderr } = await call([
        'bench',
        '--tasks',
        'T-4',
        '--limit',
        '1',
        '--quiet',
        '--out',
        'o',
        ...flags,
      ]);
      return code === 0 ? '' : stderr.trimEnd();
    };
    expect(await bench('--backbone', 'llava-1.5-7b')).toBe(
      'error: --backbone: llava-1.5-7b is not in the cache; run `lookm pull llava-1.5-7b`',
    );
    expect(await bench('--backbone', 'llava-1.5-7b', '--dtype', 'int4-b128')).toBe(
      'error: --backbone: llava-1.5-7b is not in the cache; run `lookm pull llava-1.5-7b --dtype int4 --block-size 128`',
    );
    await call(['pull', 'llava-1.5-7b', '--dtype', 'fp16']);
    await call(['pull', 'llava-1.5-7b']);
    await call(['pull', hf, '--dtype', 'fp16', '--quiet']);
    expect(await bench('--backbone', 'llava-1.5-7b')).toBe('');
    expect(await bench('--backbone', 'llava-1.5-7b:fp16')).toBe('');
    expect(await bench('--backbone', hf, '--dtype', 'fp16')).toBe('');
    expect(await bench('--backbone', `${hf}:fp32`)).toBe(
      `error: --backbone: ${hf} is not in the cache as fp32, only as fp16; run \`lookm pull ${hf} --dtype fp32\``,
    );
    expect(await bench('--backbone', 'llava-1.5-7b:fp16', '--dtype', 'fp32')).toMatch(
      /^error: --dtype: asks for fp32, and the backbone's name for fp16; /,
    );
    expect(await bench('--backbone', 'llava-1.5-7b', '--dtype', 'int8')).toMatch(
      /^error: --dtype: unknown element type "int8"; write fp32, fp16 or int4/,
    );
    const listed: { name: string; pulled: string; use: string }[] = JSON.parse(
      (await call(['list', 'backbones', '--json'])).stdout,
    );
    const rows = Object.fromEntries(listed.map(({ name, pulled, use }) => [name, [pulled, use]]));
    const size = /^(?:fp(?:16|32) \d\.\d MiB(?:, )?)+$/;
    expect(rows['llava-1.5-7b']).toEqual([expect.stringMatching(size), '--backbone llava-1.5-7b']);
    expect(rows['llava-1.5-7b']![0]).toMatch(/^fp32 .*, fp16 /);
    expect(rows[hf]).toEqual([expect.stringMatching(size), `--backbone ${hf}`]);
    expect(rows['llava-1.5-13b']).toEqual(['', 'lookm pull llava-1.5-13b']);
    expect(await readdir(path.join(env.LOOKM_CACHE, 'pulled'))).toEqual([
      'llava-1.5-7b',
      'llava-hf--llava-1.5-7b-hf',
    ]);
  });
});
