import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { knownMethods } from '../../src/bench/known-methods.js';
import type { RunOverrides } from '../../src/config/overrides.js';
import { type LocatedConfig, readConfig } from '../../src/config/read-config.js';
import { UserError } from '../../src/core/errors.js';

const known = knownMethods;

const base = `backbone: tiny-llava
dataset:
  root: datasets/minimile
  tasks: [T-4, PictureNumbers]
methods: [full, h2o]
budgets: [20%, {recent: 0.3, important: 0.1}]
`;

function read(text: string, overrides: RunOverrides = {}): LocatedConfig {
  return readConfig({ text, file: 'my.yaml', known, overrides });
}

function messageFrom(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}

describe('a run file', () => {
  test('gets its defaults filled in', () => {
    expect(read(base).config).toEqual({
      backbone: 'tiny-llava',
      latency: null,
      attention: 'auto',
      device: 'cpu',
      threads: null,
      dtype: null,
      dataset: { root: 'datasets/minimile', tasks: ['T-4', 'PictureNumbers'] },
      methods: ['full', 'h2o'],
      budgets: [
        { kind: 'ratio', recent: 0.1, important: 0.1 },
        { kind: 'ratio', recent: 0.3, important: 0.1 },
      ],
      'first-token': ['prefill', 'cache'],
      semantics: ['release'],
      scoring: 'release',
      compositions: {},
      'max-context': null,
      'combine-images': null,
      generation: { 'max-new-tokens': 512, decoding: 'alone' },
      limit: null,
      seed: null,
      'vision-cache': false,
      memory: null,
      out: null,
    });
  });

  test('may write a single entry without brackets', () => {
    const text = base.replace('[full, h2o]', 'h2o').replace(/budgets.*/, 'budgets: 5%');
    const { config } = read(`${text}first-token: cache\nsemantics: paper\n`);
    expect(config.methods).toEqual(['h2o']);
    expect(config.budgets).toEqual([{ kind: 'ratio', recent: 0.025, important: 0.025 }]);
    expect(config['first-token']).toEqual(['cache']);
    expect(config.semantics).toEqual(['paper']);
  });

  test('may give budgets in shares, tokens and bytes', () => {
    const budgets = 'budgets: [20%, 512tok, {recent: 16MiB, important: 48MiB}]';
    expect(read(base.replace(/budgets.*/, budgets)).config.budgets).toEqual([
      { kind: 'ratio', recent: 0.1, important: 0.1 },
      { kind: 'tokens', recent: 256, important: 256 },
      { kind: 'bytes', recent: 2 ** 24, important: 3 * 2 ** 24 },
    ]);
  });

  test('may switch the vision cache on, off or to a directory, and a flag may change that', () => {
    const visionCache = (line: string, flag?: string): unknown =>
      read(`${base}${line}\n`, { visionCache: flag }).config['vision-cache'];
    expect(['true', 'false', 'big/disk'].map((value) => visionCache(`vision-cache: ${value}`))).toEqual([
      ...[true, false, 'big/disk'],
    ]);
    expect(['true', 'false', 'other'].map((flag) => visionCache('vision-cache: big/disk', flag))).toEqual([
      ...[true, false, 'other'],
    ]);
    expect(messageFrom(() => visionCache('vision-cache: 3'))).toMatch(/^my\.yaml:\d+:15: vision-cache: /);
  });

  test('needs no budget for the full cache alone', () => {
    expect(read(base.replace(/methods.*\nbudgets.*/, 'methods: full')).config.budgets).toEqual([]);
  });

  test('says where each value stands', () => {
    const { where } = read(base, { seed: '3' });
    expect(where(['dataset', 'tasks', 1])).toBe('my.yaml:4:16: dataset.tasks[1]');
    expect(where(['backbone'])).toBe('my.yaml:1:11: backbone');
    expect(where(['seed'])).toBe('--seed');
  });

  test.each<[string, string, string]>([
    [
      'a misspelt method',
      base.replace('h2o', 'h20'),
      'my.yaml:5:17: methods[1]: unknown method "h20"; did you mean h2o? `lookm list methods` shows all',
    ],
    [
      'a misspelt key',
      base.replace('methods', 'methdos'),
      'my.yaml:5:1: methdos: unknown key "methdos"; did you mean methods? known: ',
    ],
    [
      'a misspelt nested key',
      base.replace('root', 'rot'),
      'my.yaml:3:3: dataset.rot: unknown key "rot"; did you mean root? ',
    ],
    ['a missing key', base.replace(/backbone.*\n/, ''), 'my.yaml:1:1: missing key "backbone"; '],
    [
      'a missing nested key',
      base.replace(/ {2}tasks.*\n/, ''),
      'my.yaml:3:3: dataset: missing key "tasks"; ',
    ],
    [
      'budgets left out',
      base.replace(/budgets.*\n/, ''),
      'my.yaml:1:1: method h2o needs a budget; add budgets: [20%]',
    ],
    [
      'a budget of nothing',
      base.replace('20%', '0%'),
      'my.yaml:6:11: budgets[0]: budget "0%" keeps nothing; ',
    ],
    [
      'a budget above everything',
      base.replace('0.3', '0.95'),
      'my.yaml:6:16: budgets[1]: budget {"recent":0.95,"important":0.1} is more than 100 %',
    ],
    [
      'a number for a budget',
      base.replace('20%', '0.2'),
      'my.yaml:6:11: budgets[0]: 0.2 is not a budget; write 20%',
    ],
    [
      'a budget in two units',
      base.replace('20%', '128tok+1MiB'),
      'my.yaml:6:11: budgets[0]: budget "128tok+1MiB" mixes units; write both parts in one unit',
    ],
    [
      'an unknown protocol',
      `${base}first-token: [prefill, cash]`,
      'my.yaml:7:24: first-token[1]: unknown value "cash"; did you mean cache? use prefill or cache',
    ],
    [
      'an unknown protocol alone',
      `${base}first-token: cash`,
      'my.yaml:7:14: first-token: unknown value "cash"; ',
    ],
    [
      'semantics that are not there',
      `${base}semantics: papers`,
      'my.yaml:7:12: semantics: unknown value "papers"; did you mean paper? use release or paper',
    ],
    ['text for a number', `${base}limit: many`, 'my.yaml:7:8: limit: expected a number, found "many"'],
    ['a limit of nothing', `${base}limit: 0`, 'my.yaml:7:8: limit: 0 is out of range; choose above 0'],
    [
      'a fraction for a count',
      `${base}generation: {max-new-tokens: 1.5}`,
      'my.yaml:7:30: generation.max-new-tokens: expected a whole number, found 1.5',
    ],
    [
      'too many answer tokens',
      `${base}generation: {max-new-tokens: 100000}`,
      'my.yaml:7:30: generation.max-new-tokens: 100000 is out of range; choose at most 4096',
    ],
    ['a seed below zero', `${base}seed: -1`, 'my.yaml:7:7: seed: -1 is out of range; choose at least 0'],
    [
      'an empty list',
      base.replace('[full, h2o]', '[]'),
      'my.yaml:5:10: methods: the list is empty; name at least one',
    ],
    [
      'a number for tasks',
      base.replace('[T-4, PictureNumbers]', '3'),
      'my.yaml:4:10: dataset.tasks: expected all or a list of names, found 3',
    ],
    [
      'text for a block',
      base.replace(/dataset:\n.*\n.*\n/, 'dataset: minimile\n'),
      'my.yaml:2:10: dataset: expected keys, found "minimile"',
    ],
    ['an empty value', base.replace('tiny-llava', '""'), 'my.yaml:1:11: backbone: the text is empty; '],
    ['an open bracket', 'methods: [full', 'my.yaml:1:15: not valid YAML: '],
    ['a repeated key', `${base}methods: full`, 'my.yaml:7:1: not valid YAML: Map keys must be unique; '],
    ['an alias without anchor', 'backbone: *b', 'my.yaml: not valid YAML: Unresolved alias'],
    ['a second document', `${base}---\nbackbone: b\n`, 'my.yaml:7:1: a second document starts here; '],
    ['an empty file', '', 'my.yaml:1:1: expected keys such as backbone: and dataset:'],
    ['a list for a file', '- a', 'my.yaml:1:1: expected keys such as backbone: and dataset:'],
  ])('with %s is refused in one line with file, line, column and field', (_name, text, expected) => {
    const message = messageFrom(() => read(text));
    expect(message.slice(0, expected.length)).toBe(expected);
    expect(message).not.toContain('\n');
  });

  test('that is far too long is not read', () => {
    expect(messageFrom(() => read('#'.repeat(1_000_001)))).toBe(
      'my.yaml: longer than 1000000 characters; is this a run file?',
    );
  });
});

describe('a flag', () => {
  test('replaces the field it names and nothing else', () => {
    const flags = {
      backbone: 'b',
      dataset: 'd',
      tasks: 'S-1, N-1',
      methods: 'look-m-tp-p,full',
      budgets: '10%,0.1+0.3,512tok,16MiB+48MiB',
      semantics: 'release,paper',
    };
    const { config } = read(base, { ...flags, firstToken: 'cache', limit: '5', seed: '7', out: 'o' });
    expect(config).toMatchObject({
      backbone: 'b',
      dataset: { root: 'd', tasks: ['S-1', 'N-1'] },
      methods: ['look-m-tp-p', 'full'],
      budgets: [
        { recent: 0.05 },
        { recent: 0.1, important: 0.3 },
        { kind: 'tokens', recent: 256 },
        { kind: 'bytes', recent: 2 ** 24, important: 3 * 2 ** 24 },
      ],
      'first-token': ['cache'],
      semantics: ['release', 'paper'],
      limit: 5,
      seed: 7,
      out: 'o',
    });
    expect(read(`${base}limit: 5`, { tasks: 'all', limit: 'all' }).config).toMatchObject({
      dataset: { root: 'datasets/minimile', tasks: 'all' },
      limit: null,
    });
  });

  test.each<[RunOverrides, string]>([
    [{ budgets: '20%,0.1+x' }, '--budgets: "0.1+x" is not a budget; '],
    [{ methods: 'full,h20' }, '--methods: unknown method "h20"; did you mean h2o? '],
    [{ limit: '-3' }, '--limit: expected a number, found "-3"; '],
    [{ limit: '0' }, '--limit: 0 is out of range; '],
    [{ seed: '1e99' }, '--seed: expected a number, found "1e99"; '],
    [{ semantics: 'release,code' }, '--semantics: unknown value "code"; use release or paper'],
    [{ firstToken: 'later' }, '--first-token: unknown value "later"; '],
    [{ tasks: 'T-1,,T-2' }, '--tasks: the text is empty; '],
    [{ out: '' }, '--out: the text is empty; '],
    [{ backbone: '' }, '--backbone: the text is empty; '],
    [{ memory: '8' }, '--memory: memory is a size, not "8"; write 8GiB or 512MiB'],
    [{ memory: '0B' }, '--memory: memory is a size, not "0B"; write 8GiB or 512MiB'],
    [{ visionCache: '' }, '--vision-cache: vision-cache is true, false or a directory; '],
  ])('%j is refused by name', (overrides, expected) => {
    expect(messageFrom(() => read(base, overrides)).slice(0, expected.length)).toBe(expected);
  });

  test('does not hide what is wrong with the file', () => {
    const text = base.replace(/dataset:\n.*\n.*\n/, 'dataset: 3\n');
    expect(messageFrom(() => read(text, { dataset: 'd' }))).toContain('my.yaml:2:10: dataset: expected keys');
  });
});

async function packaged(file: string) {
  const text = await readFile(path.resolve(import.meta.dirname, '../..', file), 'utf8');
  return readConfig({ text, file, known }).config;
}

describe('run files of the package', () => {
  test('the quickstart', async () => {
    expect(await packaged('configs/quickstart.yaml')).toMatchObject({
      methods: ['full', 'h2o', 'look-m-tp-p'],
      generation: { 'max-new-tokens': 16 },
      latency: null,
      out: 'results/quickstart',
    });
  });

  test("Table 4 is a latency run of the paper's 20 samples", async () => {
    expect(await packaged('configs/paper/table4.yaml')).toMatchObject({
      methods: ['full', 'look-m-tp-p', 'h2o', 'full+int8', 'look-m-tp-p+int8'],
      latency: { samples: 20, steps: 16, 'warm-up': 2, repeats: 7, 'null-test': true },
    });
  });
});

describe('a latency run', () => {
  test.each([
    ['latency: {}', {}, { samples: null, steps: 32, 'warm-up': 4, repeats: 7, 'null-test': true }],
    ['latency: {steps: 9}', { latency: true }, { steps: 9, repeats: 7 }],
    ['latency: null', { latency: true }, { steps: 32 }],
    ['', { latency: true, steps: '3', repeats: '2', samples: '5' }, { steps: 3, repeats: 2, samples: 5 }],
    ['latency: {samples: 4, steps: 9}', { samples: 'all' }, { samples: null, steps: 9 }],
  ])('is asked for by %s and %o', (line, overrides, expected) => {
    expect(read(`${base}${line}\n`, overrides).config.latency).toMatchObject(expected);
  });

  test('names what is wrong where it was said', () => {
    expect(messageFrom(() => read(base, { steps: '0' }))).toMatch(/^--steps: /);
    expect(messageFrom(() => read(`${base}latency: {step: 3}\n`))).toContain('latency');
    const together = `${base}latency: {}\ngeneration: {decoding: together}\n`;
    expect(messageFrom(() => read(together))).toContain('use decoding: alone');
  });
});

describe('compositions', () => {
  const withCompositions = (compositions: string, methods = '[full, mine]'): string =>
    `${base.replace('[full, h2o]', methods)}compositions:\n  ${compositions}\n`;

  test('are methods of their own, also inside matched:', () => {
    const text = withCompositions(
      'mine: {score: {rule: window, size: 16}, prior: text-first, merge: pivotal}',
      '[full, mine, "matched:mine/snapkv"]',
    );
    const { config } = read(text);
    expect(config.methods).toEqual(['full', 'mine', 'matched:mine/snapkv']);
    expect(config.compositions).toEqual({
      mine: { score: { rule: 'window', size: 16 }, prior: 'text-first', merge: 'pivotal' },
    });
  });

  test.each([
    [
      'mine: {score: colum-sum}',
      'my.yaml:8:17: compositions.mine.score: unknown score rule "colum-sum"; did you mean column-sum',
    ],
    [
      'mine: {scores: random}',
      'compositions.mine.scores: unknown stage "scores"; stages are score, prior, select, merge, quantise, allocate',
    ],
    [
      'mine: {score: {rule: window, sise: 3}}',
      'compositions.mine.score: score rule window: Unrecognized key: "sise"; its options: size = 32',
    ],
    [
      'mine: {score: {rule: window, width: 4}}',
      'compositions.mine.score: score rule window: width: must be odd',
    ],
    [
      'mine: {merge: 3}',
      'compositions.mine.merge: 3 names no merge rule; write a name or {rule: name, and its options}',
    ],
    ['mine: {allocate: weights}', 'compositions.mine.allocate: allocate rule weights: layers: '],
    ['h2o: {score: random}', 'compositions.h2o: a composition cannot be called "h2o"; choose another name'],
    ['a/b: {score: random}', 'a composition cannot be called "a/b"'],
    ['mine: 3', 'my.yaml:8:9: compositions.mine: expected keys, found 3'],
  ])('%s is refused with the place and the remedy', (composition, message) => {
    expect(messageFrom(() => read(withCompositions(composition)))).toContain(message);
  });

  test.each([
    ['[his]', 'methods[0]: unknown method "his"'],
    ['["matched:full"]', 'methods[0]: "matched:full": full does not compress; match a method that evicts'],
    ['["matched:his"]', 'methods[0]: unknown method "his"'],
    ['["matched:h2o/snapkw"]', 'methods[0]: unknown method "snapkw"; did you mean snapkv?'],
    ['["matched:matched:h2o"]', 'methods[0]: unknown method "matched:h2o"'],
  ])('the method list %s is refused', (methods, message) => {
    expect(messageFrom(() => read(withCompositions('mine: {}', methods)))).toContain(message);
  });
});
