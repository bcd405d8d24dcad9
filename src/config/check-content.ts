import type { z } from 'zod';
import { type Problem, UserError } from '../core/errors.js';
import { suggestion } from './suggestion.js';
import type { FieldPath, YamlKind } from './yaml-source.js';

/** One thing wrong with a file of settings: the field it belongs to and, for unknown keys, the key. */
interface ConfigProblem extends Omit<Problem, 'where'> {
  readonly path: FieldPath;
  readonly unknownKey?: string;
}

function described(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  return typeof input === 'object' ? 'keys' : JSON.stringify(input);
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'keys',
  record: 'keys',
};

type SizeIssue = z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig;

function sizeProblem(issue: SizeIssue, input: unknown): { readonly what: string; readonly fix: string } {
  const small = issue.code === 'too_small';
  if (issue.origin === 'string') return { what: 'the text is empty', fix: 'write a name' };
  if (issue.origin === 'array') {
    if (small) return { what: 'the list is empty', fix: 'name at least one' };
    return { what: 'the list is too long', fix: `name at most ${issue.maximum}` };
  }
  const limit = small ? issue.minimum : issue.maximum;
  const bound = issue.inclusive === false ? (small ? 'above' : 'below') : small ? 'at least' : 'at most';
  return { what: `${described(input)} is out of range`, fix: `choose ${bound} ${limit}` };
}

/** Says in one clause what a schema issue means for the writer of the file; `input` is the value at its path. */
function configProblem(issue: z.core.$ZodIssue, input: unknown, kind: YamlKind): ConfigProblem {
  const { path } = issue;
  if (input === undefined && issue.code !== 'custom') {
    const key = String(path.at(-1));
    return { path, what: `missing key "${key}"`, fix: `${kind.example} shows every key` };
  }
  switch (issue.code) {
    case 'unrecognized_keys': {
      const key = issue.keys[0] ?? '';
      const known = kind.keys[path.join('.')] ?? [];
      return {
        path,
        unknownKey: key,
        what: `unknown key "${key}"`,
        fix: `${suggestion(key, known)}known: ${known.join(', ')}`,
      };
    }
    case 'invalid_type': {
      const expected = typeNames[issue.expected] ?? issue.expected;
      return { path, what: `expected ${expected}, found ${described(input)}`, fix: 'correct the value' };
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const hint = typeof input === 'string' ? suggestion(input, allowed) : '';
      return { path, what: `unknown value ${described(input)}`, fix: `${hint}use ${allowed.join(' or ')}` };
    }
    case 'invalid_union':
      return {
        path,
        what: `expected all or a list of names, found ${described(input)}`,
        fix: 'correct the value',
      };
    case 'too_small':
    case 'too_big':
      return { path, ...sizeProblem(issue, input) };
    case 'custom': {
      const fix: unknown = issue.params?.['fix'];
      return { path, what: issue.message, ...(typeof fix === 'string' ? { fix } : {}) };
    }
    default:
      return { path, what: issue.message, fix: 'correct the value' };
  }
}

/** A single entry written without brackets is entry 0 of its list. */
function valueAt(content: unknown, path: FieldPath): unknown {
  let value = content;
  for (const part of path) {
    if (value === null || typeof value !== 'object') return part === 0 ? value : undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** Where values and keys came from, as messages say it. */
interface Places {
  where(path: FieldPath): string;
  whereKey(path: FieldPath, key: string): string;
}

/**
 * Checks the content of a file of settings against its schema. Throws a `UserError` for the first thing wrong, naming
 * its place.
 */
export function checkContent<T extends z.ZodType>(
  content: unknown,
  { schema, kind, places }: { readonly schema: T; readonly kind: YamlKind; readonly places: Places },
): z.output<T> {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues;
  // A misspelt key also leaves the right one missing: name the cause, not the consequence.
  const first = issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0]!;
  const { what, fix, path, unknownKey } = configProblem(first, valueAt(content, first.path), kind);
  const where = unknownKey === undefined ? places.where(path) : places.whereKey(path, unknownKey);
  throw new UserError({ what, where, ...(fix === undefined ? {} : { fix }) });
}
