import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { readCheckpointJson } from './checkpoint-json.js';
import { findWeights, type LlavaWeights } from './checkpoint-parts.js';
import { type NamedContent, readCheckpointTokenizer } from './checkpoint-tokenizer.js';
import {
  type ClipShape,
  type ClipVisionConfig,
  clipFolderConfigSchema,
  clipShape,
  towerMismatch,
} from './clip-config.js';
import { type ImageProcessing, imageProcessorConfigSchema } from './image-processor-config.js';
import { headMismatch, type LlamaConfig, type LlamaShape, llamaShape } from './llama-config.js';
import { layoutMarksSchema, llavaConfigSchema, llavaHfConfigSchema } from './llava-config.js';
import { openWeights } from './open-weights.js';
import type { SourceFile } from './source-files.js';
import type { TensorFiles } from './tensor-files.js';
import { type PromptFile, promptFileSchema } from './token-config.js';

export type CheckpointLayout = 'llava' | 'llava-hf';

/** A LLaVA checkpoint, checked in full, its weights found but not read. Close it when done. */
export interface Checkpoint {
  readonly layout: CheckpointLayout;
  readonly text: LlamaShape;
  readonly vision: ClipShape;
  readonly image: ImageProcessing;
  /** What the checkpoint says about images that are not square, if it says anything. */
  readonly aspect: 'pad' | 'crop' | undefined;
  readonly tokens: { readonly bos: number; readonly eos: number; readonly addBos: boolean };
  /** The checkpoint's own `prompt.json`. */
  readonly prompt: PromptFile | undefined;
  readonly weights: LlavaWeights;
  /** `tokenizer.json` and the files beside it, as they go into the bundle. */
  readonly tokenizerFiles: readonly NamedContent[];
  /** Every file the checkpoint was read from. */
  readonly sourceFiles: readonly SourceFile[];
  close(): Promise<void>;
}

export interface OpenCheckpointOptions {
  readonly path: string;
  /** Directory of the CLIP tower, for checkpoints in the original layout. */
  readonly vision?: string | undefined;
}

const supported =
  'only LLaVA-1.5 checkpoints (CLIP tower, two-layer GELU projector, plain Llama) can be used';

/**
 * Opens a checkpoint in the layout of `liuhaotian/llava-v1.5` or `llava-hf/llava-1.5`.
 *
 * The tower of the original layout comes from `vision`, else from `clip/` in the checkpoint, else from the
 * path in `mm_vision_tower`; copies among the checkpoint's own weights are ignored, as LLaVA ignores them.
 *
 * Throws `UserError` naming file and field or tensor for whatever is missing, damaged or not supported.
 */
export async function openCheckpoint({ path, vision }: OpenCheckpointOptions): Promise<Checkpoint> {
  if (!(await isDirectory(path))) {
    throw new UserError({ where: path, what: 'is not a directory', fix: 'point to a downloaded checkpoint' });
  }
  const config = await readConfig(path, vision);
  const { dir: towerDir, name: towerName } = config.towerFolder ?? { dir: path, name: '' };
  const image = await readCheckpointJson(
    join(towerDir, 'preprocessor_config.json'),
    imageProcessorConfigSchema,
    supported,
  );
  const tokenizer = await readCheckpointTokenizer(path, config.text, supported);
  const promptPath = join(path, 'prompt.json');
  const prompt = (await fileExists(promptPath))
    ? await readCheckpointJson(promptPath, promptFileSchema)
    : undefined;
  const shape = { text: llamaShape(config.text), vision: clipShape(config.tower, config.selectLayer) };
  refuseMismatch(config, image, path);

  const model = await openWeights(path, '');
  let tower = model;
  const opened: TensorFiles[] = [model.files];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((files) => files.close()));
  };
  try {
    if (config.towerFolder !== undefined) {
      tower = await openWeights(towerDir, towerName);
      opened.push(tower.files);
    }
    const text = { ...shape.text, tied: config.tied };
    const weights = findWeights({ layout: config.layout, text, vision: shape.vision, model, tower });
    const configFiles = ['config.json', ...(prompt === undefined ? [] : ['prompt.json'])];
    const towerFiles = [...(config.towerFolder ? ['config.json'] : []), 'preprocessor_config.json'];
    return {
      layout: config.layout,
      ...shape,
      image,
      aspect: config.aspect,
      tokens: { ...tokenizer.tokens, addBos: tokenizer.tokens.addBos && (prompt?.allowsBos ?? true) },
      prompt,
      weights,
      tokenizerFiles: tokenizer.files,
      sourceFiles: [
        ...configFiles.map((name) => ({ path: join(path, name), name })),
        ...towerFiles.map((name) => ({ path: join(towerDir, name), name: towerName + name })),
        ...tokenizer.sourceFiles,
        ...model.sources,
        ...(tower === model ? [] : tower.sources),
      ],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What both layouts' configs come down to. */
interface CheckpointConfig {
  readonly layout: CheckpointLayout;
  readonly text: LlamaConfig;
  readonly tied: boolean;
  readonly tower: ClipVisionConfig;
  readonly selectLayer: number;
  readonly aspect: 'pad' | 'crop' | undefined;
  /** Directory of the tower if it is not part of the checkpoint, and what its files' names start with. */
  readonly towerFolder?: { readonly dir: string; readonly name: string };
}

async function readConfig(path: string, vision: string | undefined): Promise<CheckpointConfig> {
  const configPath = join(path, 'config.json');
  const marks = await readCheckpointJson(configPath, layoutMarksSchema);
  if (marks.text_config !== undefined || marks.vision_config !== undefined) {
    if (vision !== undefined) {
      throw new UserError({
        where: path,
        what: 'holds its own vision tower, so another one cannot be given',
        fix: 'leave out --vision',
      });
    }
    const config = await readCheckpointJson(configPath, llavaHfConfigSchema, supported);
    return {
      layout: 'llava-hf',
      text: config.text_config,
      tied: config.text_config.tie_word_embeddings ?? config.tie_word_embeddings ?? false,
      tower: config.vision_config,
      selectLayer: config.vision_feature_layer,
      aspect: undefined,
    };
  }
  if (marks.mm_vision_tower === undefined) {
    const kind = marks.model_type === undefined ? '' : ` (model_type ${marks.model_type})`;
    throw new UserError({
      where: configPath,
      what: `is not the config of a LLaVA model${kind}`,
      fix: supported,
    });
  }
  const config = await readCheckpointJson(configPath, llavaConfigSchema, supported);
  const dir = await towerDirectory(path, vision, config.mm_vision_tower);
  return {
    layout: 'llava',
    text: config,
    tied: config.tie_word_embeddings ?? false,
    tower: await readCheckpointJson(join(dir, 'config.json'), clipFolderConfigSchema, supported),
    selectLayer: config.mm_vision_select_layer,
    aspect: config.image_aspect_ratio == null ? undefined : aspects[config.image_aspect_ratio],
    towerFolder: { dir, name: 'vision/' },
  };
}

/** What LLaVA's image code does for each `image_aspect_ratio`. */
const aspects = { pad: 'pad', square: 'crop' } as const;

async function towerDirectory(path: string, given: string | undefined, named: string): Promise<string> {
  if (given !== undefined) {
    if (await isDirectory(given)) return given;
    throw new UserError({
      where: given,
      what: 'is not a directory',
      fix: 'let --vision point to a downloaded CLIP folder',
    });
  }
  for (const dir of [join(path, 'clip'), resolve(path, named)]) {
    if (await isDirectory(dir)) return dir;
  }
  throw new UserError({
    where: path,
    what: `needs the CLIP tower ${named}, which is not beside it`,
    fix: 'download it and pass its directory with --vision',
  });
}

function refuseMismatch(config: CheckpointConfig, image: ImageProcessing, path: string): void {
  const imageSize = config.tower.image_size;
  const what =
    headMismatch(config.text) ??
    towerMismatch(config.tower, config.selectLayer) ??
    (image.size === imageSize
      ? undefined
      : `images are ${image.size} pixels in preprocessor_config.json, but the tower takes ${imageSize}`);
  if (what !== undefined) throw new UserError({ where: join(path, 'config.json'), what, fix: supported });
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
