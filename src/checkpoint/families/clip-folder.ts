import { join } from 'node:path';
import { readCheckpointJson } from '../checkpoint-json.js';
import { type ImageProcessing, imageProcessorConfigSchema } from '../image-processor-config.js';
import type { SourceFile } from '../source-files.js';
import { type ClipVisionConfig, clipFolderConfigSchema, clipMismatch } from '../towers/clip-config.js';
import type { CheckpointPlace } from './family.js';
import { towerDirectory, towerFilePrefix } from './tower-directory.js';

/** A CLIP repository, its weights not looked at. */
export interface ClipFolder {
  readonly dir: string;
  readonly config: ClipVisionConfig;
  readonly image: ImageProcessing;
  /** Why the tower cannot be used as the checkpoint wants it, if it cannot. */
  readonly mismatch: string | undefined;
  readonly sourceFiles: readonly SourceFile[];
}

const configName = 'config.json';
const processorName = 'preprocessor_config.json';

/**
 * Reads the configs of the CLIP repository that a checkpoint names, from wherever it lies.
 *
 * @throws UserError naming file and field for whatever is missing, damaged or not supported
 */
export async function readClipFolder(
  place: CheckpointPlace,
  wanted: { readonly named: string; readonly selectLayer: number; readonly supported: string },
): Promise<ClipFolder> {
  const { named, selectLayer, supported } = wanted;
  const dir = await towerDirectory(place, named, ['clip']);
  const config = await readCheckpointJson(join(dir, configName), clipFolderConfigSchema, supported);
  const image = await readCheckpointJson(join(dir, processorName), imageProcessorConfigSchema, supported);
  return {
    dir,
    config,
    image,
    mismatch: clipMismatch(config, { selectLayer, imageSize: image.size }),
    sourceFiles: [configName, processorName].map((name) => ({
      path: join(dir, name),
      name: towerFilePrefix + name,
    })),
  };
}
