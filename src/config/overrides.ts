import type { FieldPath } from './yaml-source.js';

/** Settings given on the command line, as typed: they replace those of the run file. */
export interface RunOverrides {
  readonly backbone?: string | undefined;
  readonly dtype?: string | undefined;
  readonly dataset?: string | undefined;
  readonly tasks?: string | undefined;
  readonly methods?: string | undefined;
  readonly budgets?: string | undefined;
  readonly firstToken?: string | undefined;
  readonly semantics?: string | undefined;
  readonly scoring?: string | undefined;
  readonly decoding?: string | undefined;
  readonly latency?: boolean | undefined;
  readonly steps?: string | undefined;
  readonly samples?: string | undefined;
  readonly repeats?: string | undefined;
  readonly attention?: string | undefined;
  readonly device?: string | undefined;
  readonly threads?: string | undefined;
  readonly limit?: string | undefined;
  readonly seed?: string | undefined;
  readonly visionCache?: string | undefined;
  readonly memory?: string | undefined;
  readonly out?: string | undefined;
}

interface Override {
  readonly flag: string;
  readonly path: FieldPath;
  /**
   * Turns the typed text into what the run file would hold, given what it holds; text that does not fit is left for the
   * schema.
   */
  readonly read: (text: string, before: unknown) => unknown;
}

const asText = (text: string): unknown => text;
const asList = (text: string): unknown => text.split(',').map((entry) => entry.trim());
const asSwitch = (text: string): unknown => (text === 'true' || text === 'false' ? text === 'true' : text);
/** A switch of something that has settings: those of the run file stay. */
const asSettings = (_text: string, before: unknown): unknown => before ?? {};
const asCount = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);

/** The flags of `lookm bench` that set a field of the run file. */
export const overrides = Object.freeze({
  backbone: { flag: '--backbone', path: ['backbone'], read: asText },
  dtype: { flag: '--dtype', path: ['dtype'], read: asText },
  dataset: { flag: '--dataset', path: ['dataset', 'root'], read: asText },
  tasks: {
    flag: '--tasks',
    path: ['dataset', 'tasks'],
    read: (text) => (text === 'all' ? text : asList(text)),
  },
  methods: { flag: '--methods', path: ['methods'], read: asList },
  budgets: { flag: '--budgets', path: ['budgets'], read: asList },
  firstToken: { flag: '--first-token', path: ['first-token'], read: asList },
  semantics: { flag: '--semantics', path: ['semantics'], read: asList },
  scoring: { flag: '--scoring', path: ['scoring'], read: asText },
  samples: {
    flag: '--samples',
    path: ['latency', 'samples'],
    read: (text) => (text === 'all' ? null : asCount(text)),
  },
  steps: { flag: '--steps', path: ['latency', 'steps'], read: asCount },
  repeats: { flag: '--repeats', path: ['latency', 'repeats'], read: asCount },
  latency: { flag: '--latency', path: ['latency'], read: asSettings },
  decoding: { flag: '--decoding', path: ['generation', 'decoding'], read: asText },
  attention: { flag: '--attention', path: ['attention'], read: asText },
  device: { flag: '--device', path: ['device'], read: asText },
  threads: { flag: '--threads', path: ['threads'], read: asCount },
  limit: { flag: '--limit', path: ['limit'], read: (text) => (text === 'all' ? null : asCount(text)) },
  seed: { flag: '--seed', path: ['seed'], read: asCount },
  visionCache: { flag: '--vision-cache', path: ['vision-cache'], read: asSwitch },
  memory: { flag: '--memory', path: ['memory'], read: asText },
  out: { flag: '--out', path: ['out'], read: asText },
} as const satisfies Record<keyof RunOverrides, Override>);

/** The flag that set the value at `path`, if one did. */
export function flagOf(given: RunOverrides, path: FieldPath): string | null {
  for (const [name, override] of Object.entries(overrides)) {
    if (given[name as keyof RunOverrides] === undefined) continue;
    if (override.path.every((part, depth) => path[depth] === part)) return override.flag;
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The content of a run file with the given settings in place; neither argument is changed. */
export function withOverrides(content: unknown, given: RunOverrides): unknown {
  if (!isRecord(content)) return content;
  const changed: Record<string, unknown> = { ...content };
  for (const [name, { path, read }] of Object.entries(overrides)) {
    const value = given[name as keyof RunOverrides];
    if (value === undefined) continue;
    const text = String(value);
    const [key, field] = path;
    const holder = changed[key];
    if (field === undefined) {
      changed[key] = read(text, holder);
      continue;
    }
    // A holder of the wrong kind stays, for the schema to name.
    if (isRecord(holder) || holder === undefined || holder === null) {
      changed[key] = { ...holder, [field]: read(text, holder?.[field]) };
    }
  }
  return changed;
}
