import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type SampleRecord, sampleRecordSchema } from '../../src/bench/record.js';
import { type RunManifest, runManifestSchema } from '../../src/bench/run-manifest.js';

/** Complete lines of `samples.jsonl`, or of another file of a run directory. */
export async function linesOf(out: string, name = 'samples.jsonl'): Promise<string[]> {
  return (await readFile(path.join(out, name), 'utf8')).split('\n').slice(0, -1);
}

/** The records of a run directory in the order of the file, each checked. */
export async function recordsOf(out: string): Promise<SampleRecord[]> {
  return (await linesOf(out)).map((line) => sampleRecordSchema.parse(JSON.parse(line)));
}

export async function countersOf(out: string): Promise<RunManifest['counters']> {
  const text = await readFile(path.join(out, 'manifest.json'), 'utf8');
  return runManifestSchema.parse(JSON.parse(text)).counters;
}

/** Content of several files of a run directory by name. */
export async function contentsOf(out: string, names: readonly string[]): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const name of names) contents[name] = await readFile(path.join(out, name), 'utf8');
  return contents;
}

/** What a record says apart from how long it took and where it stands in the file. */
export function withoutTimes(records: readonly SampleRecord[]): Omit<SampleRecord, 'time'>[] {
  const untimed = records.map(({ time: _time, ...record }) => record);
  return untimed.sort((a, b) => (a.key < b.key ? -1 : 1));
}
