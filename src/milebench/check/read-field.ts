import { z } from 'zod';
import { isPythonDict, type PythonDict, type PythonValue } from '../../core/python-value.js';
import { idSchema, mostNames } from '../annotation.js';
import type { ProblemKind } from '../problem-kinds.js';
import { describeJson } from './describe-json.js';
import type { Report } from './problem-list.js';

/** What a field may hold, and how messages call it. */
export interface FieldType<Value> {
  readonly schema: z.ZodType<Value>;
  readonly expected: string;
}

const pythonValueSchema = z.custom<PythonValue>((value) => value !== undefined);

export const text: FieldType<string> = { schema: z.string(), expected: 'a text' };
export const name: FieldType<string> = { schema: z.string().min(1), expected: 'a name' };
export const id: FieldType<number | string> = { schema: idSchema, expected: 'an integer or a text' };
export const anything: FieldType<PythonValue> = { schema: pythonValueSchema, expected: 'a value' };
export const dict: FieldType<PythonDict> = {
  schema: z.custom<PythonDict>((value) => value !== undefined && isPythonDict(value as PythonValue)),
  expected: 'an object',
};
export const shortList: FieldType<readonly PythonValue[]> = {
  schema: z.array(pythonValueSchema).max(mostNames),
  expected: `a list of at most ${mostNames} entries`,
};

/** The value of a field if it is what it should be; otherwise the fault is reported and the answer is `undefined`. */
export function readField<Value>(
  value: PythonValue | undefined,
  {
    type,
    kind,
    field,
    report,
  }: {
    readonly type: FieldType<Value>;
    readonly kind: ProblemKind;
    readonly field?: string;
    readonly report: Report;
  },
): Value | undefined {
  const parsed = type.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const what = value === undefined ? 'is missing' : `expected ${type.expected}, found ${describeJson(value)}`;
  report({ kind, field, what });
  return undefined;
}
