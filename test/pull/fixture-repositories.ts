import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { HubRepository } from '../hub/fake-hub.js';
import { fixturePath } from '../support/fixture-path.js';

/** What repositories hold that nobody needs: other formats of the same weights, code, pictures, text. */
export const unneeded = Object.freeze(
  Object.fromEntries(
    [
      ...['.gitattributes', 'README.md', 'modeling_llava.py', 'mm_projector.bin', 'training_args.bin'],
      ...['pytorch_model.bin', 'pytorch_model.bin.index.json', 'tf_model.h5', 'flax_model.msgpack'],
      ...['consolidated.00.pth', 'original/model.safetensors', 'original/config.json', 'images/cat.png'],
    ].map((name) => [name, Buffer.from(`nobody needs ${name}`)]),
  ),
);

/** The files of a checkpoint among the fixtures, without the golden tensors. */
export async function checkpointFiles(fixture: string): Promise<Record<string, Buffer>> {
  const folder = fixturePath(`backbones/${fixture}`);
  const files: Record<string, Buffer> = {};
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    if (name.startsWith('golden') || !(await stat(file)).isFile()) continue;
    files[name] = await readFile(file);
  }
  return files;
}

/** A repository with a checkpoint of the fixtures, and with what nobody needs. */
export async function modelRepository(
  id: string,
  fixture: string,
  options: Partial<HubRepository> = {},
): Promise<HubRepository> {
  return { type: 'model', id, files: { ...unneeded, ...(await checkpointFiles(fixture)) }, ...options };
}

export const clipRepository = 'openai/clip-vit-large-patch14-336';

/** The repositories of `llava`, by the names of the published ones. */
export async function llavaRepositories(options: Partial<HubRepository> = {}): Promise<HubRepository[]> {
  return [
    await modelRepository('liuhaotian/llava-v1.5-7b', 'llava', options),
    await modelRepository(clipRepository, 'llava/clip'),
  ];
}
