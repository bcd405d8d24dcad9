import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promptTemplateNames } from '../backbone/prompt-template.js';
import { type BackbonePreset, readPreset } from '../config/backbone-preset.js';

/** Where the package keeps its presets. */
const folder = 'configs/backbones';

/**
 * The presets of the package by name, in the order of names.
 *
 * @throws UserError for one that is damaged
 */
export async function readPresets(packageRoot: string): Promise<ReadonlyMap<string, BackbonePreset>> {
  const presets = new Map<string, BackbonePreset>();
  const names = await readdir(path.join(packageRoot, folder)).catch(() => []);
  for (const name of names.filter((file) => file.endsWith('.yaml')).sort()) {
    const text = await readFile(path.join(packageRoot, folder, name), 'utf8');
    const file = path.posix.join(folder, name);
    presets.set(path.parse(name).name, readPreset({ text, file, templates: promptTemplateNames }));
  }
  return presets;
}
