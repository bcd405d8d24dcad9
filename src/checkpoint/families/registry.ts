import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { readCheckpointJson } from '../checkpoint-json.js';
import { type BackboneFamily, type ConfigMarks, configMarksSchema } from './family.js';
import { internvl } from './internvl.js';
import { llava } from './llava.js';
import { llavaHf } from './llava-hf.js';
import { mobilevlm } from './mobilevlm.js';

/** Every kind of checkpoint that can be read; the first that recognises a config reads it. */
export const backboneFamilies: readonly BackboneFamily[] = Object.freeze([
  llavaHf,
  mobilevlm,
  internvl,
  llava,
]);

/**
 * The family of a checkpoint, told by its `config.json`.
 *
 * @throws UserError when the file cannot be read or is of none
 */
export async function familyOf(path: string): Promise<BackboneFamily> {
  return (await recognise(path)).family;
}

/** A repository with the vision tower of a checkpoint, and what is needed of it beside `config.json`. */
export interface TowerRepository {
  /** As `mm_vision_tower` names it. */
  readonly name: string;
  readonly preprocessor: boolean;
  readonly weights: boolean;
}

/**
 * The repository that a checkpoint needs beside its own, `null` when it needs none. Of the checkpoint nothing but
 * `config.json` has to be there.
 *
 * @throws UserError when the file cannot be read or is of no family
 */
export async function towerRepository(path: string): Promise<TowerRepository | null> {
  const { family, marks } = await recognise(path);
  if (family.towerRepository === null || typeof marks.mm_vision_tower !== 'string') return null;
  return { name: marks.mm_vision_tower, ...family.towerRepository };
}

async function recognise(path: string): Promise<{ family: BackboneFamily; marks: ConfigMarks }> {
  const file = join(path, 'config.json');
  const marks = await readCheckpointJson(file, configMarksSchema);
  const family = backboneFamilies.find((one) => one.recognises(marks));
  if (family !== undefined) return { family, marks };
  const kind = marks.model_type === undefined ? '' : ` (model_type ${marks.model_type})`;
  throw new UserError({
    where: file,
    what: `is not the config of a LLaVA, MobileVLM_V2 or InternVL-Chat model${kind}`,
    fix: 'docs/bundles.md lists what can be converted',
  });
}
