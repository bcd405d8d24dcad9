import { checkContent } from './check-content.js';
import { flagOf, type RunOverrides, withOverrides } from './overrides.js';
import { type KnownMethods, type RunConfig, runConfigSchema, runFile } from './run-config.js';
import { type FieldPath, parseYaml } from './yaml-source.js';

export interface LocatedConfig {
  readonly config: RunConfig;
  /** Where a value came from, for later errors about it: `configs/x.yaml:7:3: dataset.tasks[1]` or `--tasks`. */
  where(path: FieldPath): string;
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
  const source = parseYaml({ text, file, kind: runFile });
  const content = withOverrides(source.value, overrides);
  const where = (path: FieldPath): string => flagOf(overrides, path) ?? source.where(path);
  const places = { where, whereKey: source.whereKey };
  return { config: checkContent(content, { schema: runConfigSchema(known), kind: runFile, places }), where };
}
