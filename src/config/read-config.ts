import { UserError } from '../core/errors.js';
import { type ConfigProblem, configProblem } from './config-problem.js';
import { flagOf, type RunOverrides, withOverrides } from './overrides.js';
import { type KnownMethods, type RunConfig, runConfigSchema } from './run-config.js';
import { type FieldPath, fieldName, parseYaml, type YamlSource } from './yaml-source.js';

export interface LocatedConfig {
  readonly config: RunConfig;
  /** Where a value came from, for later errors about it: `configs/x.yaml:7:3: dataset.tasks[1]` or `--tasks`. */
  where(path: FieldPath): string;
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

function whereOf(source: YamlSource, given: RunOverrides, path: FieldPath): string {
  const flag = flagOf(given, path);
  if (flag !== null) return flag;
  const field = fieldName(source.written(path));
  return field === '' ? source.locate(path) : `${source.locate(path)}: ${field}`;
}

function problemWhere(source: YamlSource, given: RunOverrides, problem: ConfigProblem): string {
  if (problem.unknownKey === undefined) return whereOf(source, given, problem.path);
  const field = fieldName([...problem.path, problem.unknownKey]);
  return `${source.locateKey(problem.path, problem.unknownKey)}: ${field}`;
}

/**
 * Reads a run file and the settings of the command line that replace parts of it.
 *
 * `text` is the YAML, `file` its name in messages. Throws a `UserError` for the first thing wrong, naming
 * `file:line:column` and the field, or the flag.
 */
export function readConfig({
  text,
  file,
  known,
  overrides = {},
}: {
  readonly text: string;
  readonly file: string;
  readonly known: KnownMethods;
  readonly overrides?: RunOverrides;
}): LocatedConfig {
  const source = parseYaml({ text, file });
  const content = withOverrides(source.value, overrides);
  const parsed = runConfigSchema(known).safeParse(content);
  const where = (path: FieldPath) => whereOf(source, overrides, path);
  if (parsed.success) return { config: parsed.data, where };
  const issues = parsed.error.issues;
  // A misspelt key also leaves the right one missing: name the cause, not the consequence.
  const first = issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0];
  const problem = configProblem(first!, valueAt(content, first!.path));
  const { what, fix } = problem;
  throw new UserError({
    what,
    where: problemWhere(source, overrides, problem),
    ...(fix === undefined ? {} : { fix }),
  });
}
