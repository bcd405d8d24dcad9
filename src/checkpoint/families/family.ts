import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { readCheckpointJson } from '../checkpoint-json.js';
import type { SourceFinder, SourceMatrix, SourcePlain } from '../find-tensors.js';
import type { ImageProcessing } from '../image-processor-config.js';
import type { LlamaConfig } from '../llama-config.js';
import type { Llama } from '../llama-weights.js';
import type { Projector } from '../projectors/projector.js';
import type { SourceFile } from '../source-files.js';
import type { VisionTower } from '../towers/vision-tower.js';

/** The parts of a model: sizes, and tensors found but not read. */
export interface ModelParts {
  readonly text: Llama<SourcePlain, SourceMatrix>;
  readonly tower: VisionTower<SourcePlain, SourceMatrix>;
  readonly projector: Projector<SourcePlain, SourceMatrix>;
}

/** What the configs of a checkpoint come down to. */
export interface CheckpointDescription {
  readonly text: LlamaConfig;
  readonly image: ImageProcessing;
  /** What the checkpoint says about images that are not square, if it says anything. */
  readonly aspect: 'pad' | 'crop' | undefined;
  /** Where the tower's weights lie if not among the checkpoint's, and what their files' names start with. */
  readonly towerWeights: { readonly dir: string; readonly name: string } | undefined;
  /** The config files read. */
  readonly sourceFiles: readonly SourceFile[];
  /** Finds all tensors: `model` in the checkpoint's weights, `tower` in the tower's, which may be the same. */
  readonly find: (finders: { readonly model: SourceFinder; readonly tower: SourceFinder }) => ModelParts;
}

/** Fields of `config.json` that tell families and their layouts apart. */
export const configMarksSchema = z.object({
  model_type: z.string().optional(),
  vision_config: z.unknown().optional(),
  text_config: z.unknown().optional(),
  mm_vision_tower: z.unknown().optional(),
});
export type ConfigMarks = z.output<typeof configMarksSchema>;

/** Where a checkpoint is read from. */
export interface CheckpointPlace {
  readonly path: string;
  /** Directory of the vision tower, where the user names one. */
  readonly vision: string | undefined;
}

/** A kind of checkpoint: how it is recognised and read. */
export interface BackboneFamily {
  /** Name of the family, the same for all its layouts. */
  readonly family: string;
  /** Name of this layout of files and tensors. */
  readonly layout: string;
  /** What can be used of it, as the user is told when something else turns up. */
  readonly supported: string;
  /** Prompt template of checkpoints without their own: LOOK-M's choice. */
  readonly template: string;
  /** What is needed of the repository that `mm_vision_tower` names, beside `config.json`; `null` if nothing is. */
  readonly towerRepository: { readonly preprocessor: boolean; readonly weights: boolean } | null;
  recognises(marks: ConfigMarks): boolean;
  /** @throws UserError naming file and field for whatever is missing, damaged or not supported */
  read(place: CheckpointPlace): Promise<CheckpointDescription>;
}

/** Reads `config.json` of a checkpoint by its family's rules. */
export function readConfig<T extends z.ZodType>(
  { path }: CheckpointPlace,
  schema: T,
  supported: string,
): Promise<z.output<T>> {
  return readCheckpointJson(join(path, 'config.json'), schema, supported);
}

/** Throws a `UserError` about `config.json` for the first reason there is. */
export function refuseMismatch(
  { path }: CheckpointPlace,
  reasons: readonly (string | undefined)[],
  supported: string,
): void {
  const what = reasons.find((reason) => reason !== undefined);
  if (what !== undefined) throw new UserError({ where: join(path, 'config.json'), what, fix: supported });
}
