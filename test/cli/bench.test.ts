import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BenchServices } from '../../src/cli/bench-services.js';
import { UserError } from '../../src/core/errors.js';
import { fakeRunner } from '../bench/fake-run.js';
import { fakeServices, lookm, scratch } from './fake-shell.js';

const small = ['bench', '--tasks', 'T-4,PictureNumbers', '--limit', '2'];

describe('lookm bench', () => {
  test('without flags plans the quickstart into results/quickstart', async () => {
    const cwd = await scratch();
    const { code, stdout, stderr } = await lookm(['bench', '--dry-run'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('9 cells\n');
    expect(stdout).toContain('11 tasks\n');
    expect(stdout).toMatch(
      /330 samples × 9 cells = 2970 records, 330 prefills of about 1[34]\d{4} tokens in all\./,
    );
    expect(stdout).toContain('Would be written to results/quickstart.\n');
    expect(await readdir(cwd)).toEqual([]);
  });

  test('plans every semantics and kind of budget by name', async () => {
    const grid = ['--methods', 'full,h2o', '--semantics', 'release,paper', '--budgets', '512tok,16MiB+48MiB'];
    const flags = [...grid, '--first-token', 'cache', '--dry-run'];
    const { stdout, stderr } = await lookm(['bench', ...flags], { cwd: await scratch() });
    expect(stderr).toBe('');
    expect(stdout.slice(0, stdout.indexOf('11 tasks'))).toMatchInlineSnapshot(`
      "5 cells

      method  semantics  budget       first token
      full    release    100%         either
      h2o     release    512tok       cache
      h2o     release    16MiB+48MiB  cache
      h2o     paper      512tok       cache
      h2o     paper      16MiB+48MiB  cache

      "
    `);
  });

  test('says how much memory the plan needs, and where caches go that do not fit', async () => {
    const cwd = await scratch();
    const plan = (...flags: string[]) => lookm([...small, '--dry-run', ...flags], { cwd });
    expect((await plan()).stdout).toMatch(
      /Memory: about 1\.2 GiB for a prompt of 84 tokens \(weights 0\.0 GiB, .*\); 16\.0 GiB may be taken\.\n/,
    );
    expect((await plan('--memory', '8GiB')).stdout).toContain('; 8.0 GiB may be taken.\n');
    expect((await plan('--memory', '64MiB')).stdout).toContain(' 0.1 GiB may be taken. Does not fit.\n');
    const { memory } = JSON.parse((await plan('--json')).stdout);
    expect(memory).toMatchObject({ limit: 2 ** 34, fit: { kind: 'whole' } });
    expect(memory.prompt.text + memory.prompt.images).toBe(84);
  });

  test('refuses to start what does not fit, and says what would', async () => {
    const { code, stderr } = await lookm([...small, '--memory', '64MiB'], { cwd: await scratch() });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /error: .*backbone: a prompt of \d+ tokens needs 1\.2 GiB \(weights 0\.0 GiB, .*\), and 0\.1 GiB may be taken; use a machine with more memory, or a smaller backbone\n/,
    );
  });

  test('a finished run needs no memory for its tables', async () => {
    const cwd = await scratch();
    await lookm(small, { cwd });
    const { code, stdout } = await lookm([...small, '--memory', '64MiB'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('(0 new, 36 found)');
  });

  test('shows tables, says where the files are and what comes next', async () => {
    const cwd = await scratch();
    const { code, stdout, stderr } = await lookm(small, { cwd });
    expect(code).toBe(0);
    const titles = ['Score by task column (%)', 'Size of the KV cache', 'Latency (ms)'];
    for (const title of titles) expect(stdout).toContain(`${title}\n`);
    expect(stdout.match(/Semantics: release/g)).toHaveLength(1);
    const closing = stdout.slice(stdout.indexOf('Done:')).replaceAll(/-?\d+\.\d/g, '0.0');
    expect(closing).toMatchInlineSnapshot(`
      "Done: 36 records (36 new, 0 found), 4 prefills.
      Time: 0.0 s (input 0.0, prefill 0.0, compress 0.0, decode 0.0, other 0.0); 0.0 % outside ONNX Runtime and compression
      Tables: results/quickstart/{accuracy,differences,cache,latency}.{csv,md}, in files only {datasets,levels,pairs,layers}.{csv,md}
      Records: results/quickstart/samples.jsonl, manifest.json
      Next: lookm bench --help shows how to choose methods, budgets, tasks and your own backbone
      "
    `);
    expect(stderr).toMatchInlineSnapshot(`
      "0/4 samples, loading the backbone
      1/4 samples, ColourChange
      2/4 samples, ColourChange
      3/4 samples, PictureNumbers
      4/4 samples, PictureNumbers
      "
    `);
    const names = ['accuracy', 'differences', 'cache', 'latency', 'datasets', 'levels', 'pairs', 'layers'];
    const tables = names.flatMap((name) => [`${name}.csv`, `${name}.md`]);
    const expected = [...tables, 'failures.jsonl', 'manifest.json', 'samples.jsonl'].sort();
    expect((await readdir(path.join(cwd, 'results/quickstart'))).sort()).toEqual(expected);
  });

  test('repeated recomputes nothing and writes the same tables', async () => {
    const cwd = await scratch();
    await lookm(small, { cwd });
    const table = path.join(cwd, 'results/quickstart/accuracy.md');
    const before = await readFile(table, 'utf8');
    const again = await lookm(small, { cwd });
    expect(again.stdout).toContain('Done: 36 records (0 new, 36 found), 0 prefills.');
    expect(again.stderr).toBe('');
    expect(await readFile(table, 'utf8')).toBe(before);
  });

  test('keeps machine paths out of the manifest', async () => {
    const cwd = await scratch();
    const backbone = path.join(cwd, 'my-model');
    await mkdir(backbone);
    await lookm([...small, '--backbone', backbone, '--out', path.join(cwd, 'out')], { cwd });
    const manifest = await readFile(path.join(cwd, 'out/manifest.json'), 'utf8');
    expect(JSON.parse(manifest).config).toMatchObject({
      backbone: 'my-model',
      dataset: 'datasets/minimile',
      limit: 2,
    });
    expect(manifest).not.toContain(cwd);
    expect(manifest).not.toMatch(/: "\//);
  });

  test('lists failed samples one a line, finishes the others and exits with 2', async () => {
    const { code, stdout, stderr } = await lookm(small, {
      cwd: await scratch(),
      beforeSample: ({ task, sample }) => {
        if (task.info.name === 'ColourChange' && sample.sampleId === '1') {
          throw new UserError({ what: 'the image is broken', where: 'img_1.png', fix: 'restore it' });
        }
      },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('failed: ColourChange, sample 1: img_1.png: the image is broken; restore it\n');
    expect(stdout).toContain('Done: 27 records (27 new, 0 found), 3 prefills, 1 sample failed.');
    expect(stdout).toContain('mend the failed samples; the same command runs only them');
  });

  test('stops after the current sample at Ctrl-C and continues with the same command', async () => {
    const cwd = await scratch();
    const stopped = await lookm(small, { cwd, beforeSample: (_job, interrupt) => interrupt() });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('finishing the current sample');
    expect(stopped.stdout).toContain('Stopped: 9 records (9 new, 0 found), 1 prefill.');
    expect(stopped.stdout).toContain('Next: the same command continues this run');
    expect((await lookm(small, { cwd })).stdout).toContain('Done: 36 records (27 new, 9 found), 3 prefills.');
  });

  test('prints one JSON object with --json and nothing with --quiet', async () => {
    const cwd = await scratch();
    const json = await lookm([...small, '--json'], { cwd });
    expect(json.stderr).toBe('');
    expect(JSON.parse(json.stdout)).toEqual({
      out: 'results/quickstart',
      records: 36,
      failures: [],
      written: 36,
      resumed: 0,
      prefills: 4,
      times: { input: 1, prefill: 2, compress: 3, decode: 4, compute: 9, wall: expect.any(Number) },
      interrupted: false,
      randomWeights: false,
    });
    expect(await lookm([...small, '--quiet'], { cwd: await scratch() })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const plan = await lookm([...small, '--dry-run', '--json'], { cwd });
    expect(JSON.parse(plan.stdout)).toMatchObject({
      samples: 4,
      records: 36,
      tasks: [
        { task: 'ColourChange', samples: 2 },
        { task: 'PictureNumbers', samples: 2 },
      ],
    });
  });

  test.each([
    [[], null],
    [['--vision-cache'], 'somewhere/vision'],
    [['--vision-cache', 'features'], 'features'],
    [['--vision-cache', 'false'], null],
  ])('with %j keeps image features in %s', async (flags, expected) => {
    const cwd = await scratch();
    const asked: (string | null)[] = [];
    const openRunner: BenchServices['openRunner'] = async (_bundle, { visionCache }) => {
      asked.push(visionCache === null ? null : path.relative(cwd, visionCache));
      return fakeRunner();
    };
    const env = { LOOKM_CACHE: path.join(cwd, 'somewhere') };
    const { code } = await lookm([...small, '--limit', '1', ...flags], {
      ...{ cwd, env, bench: { ...fakeServices, openRunner } },
    });
    expect({ code, asked }).toEqual({ code: 0, asked: [expected] });
  });

  test('refuses a directory of another run', async () => {
    const cwd = await scratch();
    await lookm(small, { cwd });
    const other = await lookm([...small, '--seed', '3'], { cwd });
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(
      /^error: .*results\/quickstart: holds a run with another seed; choose another --out or delete the directory\n$/,
    );
  });

  test('reads a run file of the user, with its paths from the current directory', async () => {
    const cwd = await scratch();
    const lines = [
      'backbone: tiny-llava',
      'dataset: {root: minimile, tasks: [N-1]}',
      'methods: full',
      'limit: 1',
    ];
    await writeFile(path.join(cwd, 'mine.yaml'), lines.join('\n'));
    const { code, stdout } = await lookm(['bench', '-c', 'mine.yaml'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Tables: results/mine/{accuracy,differences,cache,latency}.{csv,md}, in files only ',
    );
    expect(await readdir(path.join(cwd, 'results'))).toEqual(['mine']);
  });

  test.each<[readonly string[], RegExp]>([
    [
      ['-c', 'none.yaml'],
      /^error: none\.yaml: the run file cannot be read \(.*\); give its path with --config\n$/,
    ],
    [
      ['--methods', 'h20'],
      /^error: --methods: unknown method "h20"; did you mean h2o\? `lookm list methods` shows all\n$/,
    ],
    [['--budgets', '0%'], /^error: --budgets: budget "0%" keeps nothing; .*\n$/],
    [
      ['--tasks', 'T-4,S-9'],
      /^error: --tasks: unknown task or column "S-9"; .*`lookm list tasks` shows all\n$/,
    ],
    [
      ['--backbone', 'tiny-lava'],
      /^error: --backbone: no directory "tiny-lava" and no preset .*; did you mean tiny-llava\? .*\n$/,
    ],
    [
      ['--dataset', 'no/such'],
      /^error: --dataset: no directory "no\/such"; give a path or one of: minimile\n$/,
    ],
  ])('%j is refused in one line with exit code 2', async (flags, expected) => {
    const { code, stdout, stderr } = await lookm(['bench', ...flags], { cwd: await scratch() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
  });

  test('names file, line and field of an unknown task in a run file', async () => {
    const cwd = await scratch();
    const lines = [
      'backbone: tiny-llava',
      'dataset:',
      '  root: minimile',
      '  tasks: [T-4, Picture]',
      'methods: full',
    ];
    await writeFile(path.join(cwd, 'mine.yaml'), lines.join('\n'));
    expect((await lookm(['bench', '-c', 'mine.yaml'], { cwd })).stderr).toContain(
      'error: mine.yaml:4:16: dataset.tasks[1]: unknown task or column "Picture"; did you mean PictureNumbers?',
    );
  });
});
