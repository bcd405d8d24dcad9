import { type TowerRepository, towerRepository } from '../checkpoint/families/registry.js';
import { type CheckpointConfigs, readCheckpointConfigs } from '../checkpoint/open-checkpoint.js';
import { isRepositoryId } from '../config/backbone-preset.js';
import { UserError } from '../core/errors.js';
import type { RemoteFile } from '../hub/list-files.js';
import { type Downloading, type ModelSource, RepositoryCopy } from './repository-copy.js';
import { checkpointFileNames } from './wanted-files.js';

/** A repository and the files of it that are needed. */
export interface RepositoryPart {
  readonly copy: RepositoryCopy;
  /** On the disk. */
  readonly configs: readonly RemoteFile[];
  /** With their index, where they have one. */
  readonly weights: readonly RemoteFile[];
}

/** The repositories of a backbone: its configs checked, its weights known but not downloaded. Close it when done. */
export interface BackboneFiles {
  readonly model: RepositoryPart;
  /** The repository of the vision tower, where it has one of its own. */
  readonly tower: RepositoryPart | null;
  readonly configs: CheckpointConfigs;
  close(): Promise<void>;
}

/** What is to be pulled. */
export interface BackboneSource extends ModelSource {
  /** Repository of the vision tower; what the model's config names when `null`. */
  readonly vision: ModelSource | null;
}

/**
 * Downloads the configs and the tokenizer of a backbone and checks that it can be used, then finds out which files hold
 * the weights.
 *
 * @throws UserError when the hub refuses or cannot be reached, and for whatever is missing or not supported
 */
export async function openBackboneFiles(
  source: BackboneSource,
  { checkpoints, downloading }: { readonly checkpoints: string; readonly downloading: Downloading },
): Promise<BackboneFiles> {
  const copies: RepositoryCopy[] = [];
  const open = async (from: ModelSource): Promise<RepositoryCopy> => {
    const copy = await RepositoryCopy.open(from, checkpoints, downloading);
    copies.push(copy);
    return copy;
  };
  const close = async (): Promise<void> => {
    for (const copy of copies) await copy.close();
  };
  try {
    const model = await open(source);
    const modelFiles = await model.fetchNamed(checkpointFileNames);
    if (!modelFiles.some(({ path }) => path === 'config.json')) {
      const fix = 'give another repository or --revision: this one has no checkpoint';
      throw new UserError({ what: 'it has no config.json', where: model.name, fix });
    }
    const need = await towerRepository(model.folder);
    if (need === null && source.vision !== null) {
      const what = 'holds its own vision tower, so another one cannot be given';
      throw new UserError({ what, where: model.name, fix: 'leave out --vision' });
    }
    const tower = need === null ? null : await open(source.vision ?? namedTower(need, model.name));
    const towerNames = ['config.json', ...(need?.preprocessor ? ['preprocessor_config.json'] : [])];
    const towerFiles = (await tower?.fetchNamed(towerNames)) ?? [];
    const configs = await readCheckpointConfigs({ path: model.folder, vision: tower?.folder });
    return {
      model: { copy: model, configs: modelFiles, weights: await model.weightFiles() },
      tower: tower && {
        copy: tower,
        configs: towerFiles,
        weights: need?.weights ? await tower.weightFiles() : [],
      },
      configs,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The repository of the tower as the model's config has it, at its default branch. */
function namedTower({ name }: TowerRepository, model: string): ModelSource {
  if (isRepositoryId(name)) return { repository: name, revision: 'main' };
  const what = `its vision tower is ${JSON.stringify(name)}, which is no repository of the hub`;
  throw new UserError({ what, where: model, fix: 'name one with --vision' });
}
