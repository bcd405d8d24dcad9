import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runManifestSchema } from '../../src/bench/run-manifest.js';
import { lookm, openPlace, problemLines } from './real-lookm.js';
import { recordsOf, withoutTimes } from './run-files.js';

const bytes = z.number();
const plannedSchema = z.looseObject({
  memory: z.looseObject({
    estimate: z.looseObject({ caches: bytes, largestCache: bytes }),
  }),
});

test.each(['alone', 'together'])(
  'records decoded %s are the same where memory has room for one cache, and less than that is refused',
  async (decoding) => {
    const place = await openPlace();
    const run = [
      ...['bench', '--tasks', 'PictureNumbers', '--limit', '2', '--decoding', decoding],
      ...['--methods', 'full,h2o,look-m-tp-p', '--budgets', '50%'],
    ];
    const outcome = async (name: string, flags: readonly string[]) => {
      const called = await lookm([...run, '--out', name, ...flags], place);
      expect({ code: called.code, problems: problemLines(called) }).toMatchObject({ code: 0 });
      const out = path.join(place.cwd, name);
      const written: unknown = JSON.parse(await readFile(path.join(out, 'manifest.json'), 'utf8'));
      const { counters, memory } = runManifestSchema.parse(written);
      return { records: withoutTimes(await recordsOf(out)), caches: counters.lastCommand.caches, memory };
    };
    const whole = await outcome('whole', []);
    expect(whole.caches).toEqual({ memory: 2, spill: 0, groups: 0, movedBytes: 0 });
    expect(whole.memory.peak).toBeGreaterThan(2 ** 20);
    expect(whole.memory.peak).toBeLessThan(whole.memory.estimated);

    const planned = await lookm([...run, '--dry-run', '--json'], place);
    const { estimate } = plannedSchema.parse(JSON.parse(planned.stdout)).memory;
    const least = whole.memory.estimated - estimate.caches + estimate.largestCache;
    const short = await outcome('short', ['--memory', `${least}B`]);
    expect(short.records).toEqual(whole.records);
    expect(short.caches.memory).toBe(0);
    expect(short.caches.spill + short.caches.groups).toBe(2);
    expect(short.caches.movedBytes > 0).toBe(short.caches.spill > 0);
    expect(short.memory.limit).toBe(least);
    const left = await readdir(place.cwd, { recursive: true });
    expect(left.filter((name) => name.includes('caches-'))).toEqual([]);

    const refused = await lookm([...run, '--out', 'refused', '--memory', `${least - 1}B`], place);
    expect(refused.code).toBe(2);
    expect(problemLines(refused).join()).toMatch(/largest cache .*leave out method full/);
  },
);
