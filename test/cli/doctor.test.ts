import { expect, test } from 'vitest';
import { vectorUnitsOf } from '../../src/cli/doctor.js';
import { lookm } from './fake-shell.js';

test('lookm doctor looks at Node.js, machine, operators and embedded assets', async () => {
  const { code, stdout } = await lookm(['doctor']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ok {4}Node\.js: \d+/);
  expect(stdout).toMatch(/^ok {4}machine: .*\(avx2, avx512f\), \d+ cores, [\d.]+ GiB, /m);
  expect(stdout).toContain('ok    operators: exact\n');
  expect(stdout).toContain('ok    models/tiny-llava: intact\n');
  expect(stdout).toContain('ok    datasets/minimile: intact\n');
  expect(stdout).toContain('Next: lookm bench\n');
});

test('lookm doctor exits with 1 when a check fails, and says which', async () => {
  const doctor = { selfTest: async () => [{ name: 'operators', ok: false, detail: 'off by 2' }] };
  const plain = await lookm(['doctor'], { doctor });
  expect(plain.code).toBe(1);
  expect(plain.stdout).toContain('FAIL  operators: off by 2\n');
  expect(plain.stdout).toContain('1 of 5 checks failed\n');
  const json = await lookm(['doctor', '--json'], { doctor });
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false });
  expect(JSON.parse(json.stdout).checks).toContainEqual({ name: 'operators', ok: false, detail: 'off by 2' });
});

test('vector units are read on x86 and on ARM', () => {
  expect(vectorUnitsOf('model name: x\nflags\t\t: fpu avx avx2 avx512f avx512_vnni\n')).toEqual([
    'avx2',
    'avx512f',
    'avx512_vnni',
  ]);
  expect(vectorUnitsOf('Features\t: fp asimd evtstrm\n')).toEqual(['asimd']);
  expect(vectorUnitsOf('')).toEqual([]);
});
