import { createReadStream } from 'node:fs';
import { truncate } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';
import { writeAtomically } from '../core/write-atomically.js';

/** A record of the longest answer with the times of all steps takes about 200 kB. */
const longestLineBytes = 16 * 2 ** 20;

/** Records of a kind: the file of a run directory that holds them, a line each, and their form. */
export interface LogKind<R extends { readonly key: string }> {
  readonly file: string;
  readonly schema: z.ZodType<R>;
}

export interface RecordLog<R> {
  /** The records by key, in the order of the file. */
  readonly records: Map<string, R>;
  /** Bytes of a last line without its end, left by a crash and cut off the file. */
  readonly tornBytes: number;
}

const newline = 0x0a;

function parseRecord<R>(schema: z.ZodType<R>, line: Buffer, where: string): R {
  let reason: string;
  try {
    const parsed = schema.safeParse(JSON.parse(line.toString('utf8')));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    reason = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit'}`;
  } catch (error) {
    reason = messageOf(error);
  }
  const fix = 'delete the line to have the sample run again, or choose another --out';
  throw new UserError({ what: `not a record (${reason})`, where, fix });
}

/**
 * Reads the records of a kind from a run directory; a missing file has none. A last line without line end is cut off
 * the file. Throws a `UserError` naming file and line for any other line that is not a record.
 */
export async function readRecordLog<R extends { readonly key: string }>(
  directory: string,
  { file: name, schema }: LogKind<R>,
): Promise<RecordLog<R>> {
  const file = path.join(directory, name);
  const records = new Map<string, R>();
  let pending: Buffer = Buffer.alloc(0);
  let lines = 0;
  let completeBytes = 0;
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      let start = 0;
      for (let end = pending.indexOf(newline); end !== -1; end = pending.indexOf(newline, start)) {
        lines++;
        const record = parseRecord(schema, pending.subarray(start, end), `${file}:${lines}`);
        if (!records.has(record.key)) records.set(record.key, record);
        completeBytes += end + 1 - start;
        start = end + 1;
      }
      pending = pending.subarray(start);
      if (pending.length > longestLineBytes) {
        const fix = 'restore the file or choose another --out';
        const what = `the line is longer than ${longestLineBytes} bytes`;
        throw new UserError({ what, where: `${file}:${lines + 1}`, fix });
      }
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { records, tornBytes: 0 };
    throw error;
  }
  if (pending.length > 0) await truncate(file, completeBytes);
  return { records, tornBytes: pending.length };
}

/** Replaces the records of a kind as a whole. */
export async function rewriteRecordLog<R extends { readonly key: string }>(
  directory: string,
  { file }: LogKind<R>,
  records: readonly R[],
): Promise<void> {
  await writeAtomically(path.join(directory, file), lines(records));
}

function* lines(records: readonly unknown[]): Generator<string> {
  for (const record of records) yield `${JSON.stringify(record)}\n`;
}
