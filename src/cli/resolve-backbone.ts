import { isRepositoryId } from '../config/backbone-preset.js';
import { suggestion } from '../config/suggestion.js';
import { dtypeName, parseDtypeName } from '../convert/dtype-name.js';
import type { DtypeOptions } from '../convert/weight-formats.js';
import { UserError } from '../core/errors.js';
import { pulledBundles } from '../pull/pulled-bundles.js';
import { readPresets } from './backbone-presets.js';
import { cacheDirectory } from './cache-directory.js';
import { dtypeCommandLine } from './dtype-flags.js';
import { findAsset, shelfNames } from './resolve-asset.js';
import type { Shell } from './shell.js';

/** The directory of a backbone. */
export interface ResolvedBackbone {
  readonly directory: string;
  /** Element types that are asked for; `null` = whatever a bundle has, float32 for a checkpoint. */
  readonly dtypes: DtypeOptions | null;
}

/** What a run file or flags say of a backbone, and where. */
export interface WrittenBackbone {
  readonly backbone: string;
  readonly dtype: string | null;
  where(path: readonly ['backbone' | 'dtype']): string;
}

/**
 * The backbone that a run file or flags mean: an embedded one, a bundle or checkpoint directory, or what was pulled of
 * a preset or repository. Of several bundles that were pulled it is the one that loses least, unless `dtype` or the
 * name (`llava-1.5-7b:int4`) says which. Throws a `UserError` when there is none, with the command that pulls it.
 */
export async function resolveBackbone(written: WrittenBackbone, shell: Shell): Promise<ResolvedBackbone> {
  const { backbone, dtype, where } = written;
  const directory = await findAsset(backbone, { shelf: 'models', shell });
  if (directory !== null)
    return { directory, dtypes: dtype === null ? null : readDtype(dtype, where(['dtype'])) };
  const [, name = backbone, suffix = null] = /^([^:]+):([^:]+)$/.exec(backbone) ?? [];
  const presets = await readPresets(shell.packageRoot);
  if (!presets.has(name) && !isRepositoryId(name)) {
    const names = [...(await shelfNames(shell.packageRoot, 'models')), ...presets.keys()];
    const what = `no directory "${backbone}" and no preset of that name`;
    const fix = `${suggestion(name, names)}\`lookm list backbones\` shows what there is`;
    throw new UserError({ what, where: where(['backbone']), fix });
  }
  const dtypes = readBoth(written, suffix);
  const bundles = await pulledBundles(cacheDirectory(shell.env, 'pulled'), name);
  const fitting = bundles.find(({ variant }) => dtypes === null || variant === dtypeName(dtypes));
  if (fitting !== undefined) return { directory: fitting.directory, dtypes };
  const there = bundles.map(({ variant }) => variant).join(', ');
  const found = dtypes === null || there === '' ? '' : ` as ${dtypeName(dtypes)}, only as ${there}`;
  const flags = dtypes === null ? '' : dtypeCommandLine(dtypes);
  throw new UserError({
    what: `${name} is not in the cache${found}`,
    where: where(['backbone']),
    fix: `run \`lookm pull ${name}${flags}\``,
  });
}

function readDtype(text: string, where: string): DtypeOptions {
  const dtypes = parseDtypeName(text);
  if (dtypes !== null) return dtypes;
  const fix = 'write fp32, fp16 or int4, or what `lookm list backbones` shows';
  throw new UserError({ what: `unknown element type "${text}"`, where, fix });
}

/** The element types that the name and `dtype` ask for. */
function readBoth({ dtype, where }: WrittenBackbone, suffix: string | null): DtypeOptions | null {
  const named = suffix === null ? null : readDtype(suffix, where(['backbone']));
  const given = dtype === null ? null : readDtype(dtype, where(['dtype']));
  if (named !== null && given !== null && dtypeName(named) !== dtypeName(given)) {
    const what = `asks for ${dtype}, and the backbone's name for ${suffix}`;
    throw new UserError({ what, where: where(['dtype']), fix: 'leave out one of them' });
  }
  return given ?? named;
}
