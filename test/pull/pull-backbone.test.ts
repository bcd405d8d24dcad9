import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { hashBundle } from '../../src/bench/content-hashes.js';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { lockDirectory } from '../../src/core/directory-lock.js';
import type { HubConnection } from '../../src/hub/hub-connection.js';
import { type PullRequest, type PullSummary, pullBackbone } from '../../src/pull/pull-backbone.js';
import {
  connect,
  type Delivery,
  deliver,
  deliverAndCut,
  type HubRepository,
  hubOf,
  serve,
} from '../hub/fake-hub.js';
import { fixturePath } from '../support/fixture-path.js';
import {
  checkpointFiles,
  clipRepository,
  llavaRepositories,
  modelRepository,
  unneeded,
} from './fixture-repositories.js';

const llava = { repository: 'liuhaotian/llava-v1.5-7b', revision: 'main', vision: null };

/** Where a test downloads and converts to. */
interface Place {
  readonly checkpoints: string;
  readonly bundles: string;
}

async function scratch(): Promise<Place> {
  const root = await mkdtemp(path.join(tmpdir(), 'lookm-pull-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return { checkpoints: path.join(root, 'checkpoints'), bundles: path.join(root, 'bundles') };
}

function bundleIn({ bundles }: Place, dtype: 'fp32' | 'fp16' = 'fp32'): NonNullable<PullRequest['bundle']> {
  const directory = path.join(bundles, dtype);
  return { directory, name: 'pulled', template: null, dtypes: { dtype }, replace: true };
}

function pull(hub: HubConnection, place: Place, request: Partial<PullRequest> = {}): Promise<PullSummary> {
  return pullBackbone({
    hub,
    source: llava,
    checkpoints: place.checkpoints,
    bundle: bundleIn(place),
    keepCheckpoint: true,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...request,
  });
}

async function serveAll(...repositories: readonly HubRepository[]) {
  const server = await serve(hubOf(repositories));
  /** Files that were asked for, `owner/name/file`, since the last call. */
  const asked = (): string[] =>
    server.asked
      .splice(0)
      .flatMap(({ path: at }) =>
        at.includes('/resolve/') ? [at.slice(1).replace(/resolve\/[0-9a-f]+\//, '')] : [],
      );
  return { asked, requests: server.asked, ...connect(server.origin) };
}

/** Files below a directory, locks left out. */
async function filesIn(directory: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of await readdir(directory, { recursive: true }).catch(() => [])) {
    if (path.basename(name) !== 'lock' && (await stat(path.join(directory, name))).isFile()) files.push(name);
  }
  return files.sort();
}

describe('a pull', () => {
  test('downloads what is needed of model and tower and makes the bundle that convert makes', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const summary = await pull(hub, place);
    const model = Object.keys(await checkpointFiles('llava'));
    const tower = Object.keys(await checkpointFiles('llava/clip'));
    const wanted = [
      ...model.map((name) => `${llava.repository}/${name}`),
      ...tower.map((name) => `${clipRepository}/${name}`),
    ];
    expect(asked().sort()).toEqual(wanted.sort());
    expect(summary).toMatchObject({
      model: { repository: llava.repository, commit: 'c'.repeat(40) },
      vision: { repository: clipRepository },
      family: 'llava',
      hasCheckpoint: true,
      bundle: { status: 'converted' },
    });
    expect(summary.downloadedBytes).toBe(summary.model.bytes + summary.vision!.bytes);
    expect(await filesIn(place.checkpoints)).toEqual(
      wanted.map((name) => name.replace(/^([^/]*)\//, '$1--')).sort(),
    );
    const direct = path.join(place.bundles, 'direct');
    await convertCheckpoint({ checkpoint: fixturePath('backbones/llava'), out: direct, dtype: 'fp32' });
    const [pulled, converted] = [bundleIn(place).directory, direct].map((directory) =>
      openBundle(directory, { verify: 'hashes' }),
    );
    expect(hashBundle((await pulled!).manifest)).toBe(hashBundle((await converted!).manifest));
    expect((await pulled!).manifest).toMatchObject({ name: 'pulled', prompt: { name: 'llava_llama_2' } });
  });

  test('repeated asks for no file, and in another element type for none that is there', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place);
    asked();
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'present' } });
    const other = await pull(hub, place, { bundle: bundleIn(place, 'fp16') });
    expect(other).toMatchObject({ downloadedBytes: 0, bundle: { status: 'converted' } });
    expect(asked()).toEqual([]);
    expect((await readdir(place.bundles)).sort()).toEqual(['fp16', 'fp32']);
  });

  test('leaves no weights when told so, and fetches them again only when it has something to convert', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const once = await pull(hub, place, { keepCheckpoint: false });
    expect(once.hasCheckpoint).toBe(false);
    expect((await filesIn(place.checkpoints)).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
    asked();
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'present' } });
    expect(asked()).toEqual([]);
    await pull(hub, place, { bundle: bundleIn(place, 'fp16') });
    expect(asked()).toEqual([`${llava.repository}/model.safetensors`, `${clipRepository}/model.safetensors`]);
  });

  test('of a bundle that is there can remove the weights', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place);
    expect(await pull(hub, place, { keepCheckpoint: false })).toMatchObject({
      hasCheckpoint: false,
      bundle: { status: 'present' },
    });
  });

  test('converts again when the template is another, and the bundle when it is damaged', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place);
    const bundle = { ...bundleIn(place), template: 'v1' };
    expect(await pull(hub, place, { bundle })).toMatchObject({ bundle: { status: 'converted' } });
    const { manifest } = await openBundle(bundle.directory, { verify: 'sizes' });
    expect(manifest.prompt.name).toBe('v1');
    await rm(path.join(bundle.directory, 'embedding.bin'));
    expect(await pull(hub, place, { bundle })).toMatchObject({ bundle: { status: 'converted' } });
    // What it was not told to replace stays.
    const kept = { ...bundleIn(place), replace: false };
    await expect(pull(hub, place, { bundle: kept })).rejects.toThrow(
      /already exists and is not what is asked for; give/,
    );
  });

  test('without a bundle only downloads', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    expect(await pull(hub, place, { bundle: null })).toMatchObject({ bundle: null, hasCheckpoint: true });
    expect(await filesIn(place.bundles)).toEqual([]);
  });

  test('shows how far it is, of all weights together', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const seen: Parameters<PullRequest['onProgress']>[0][] = [];
    const summary = await pull(hub, place, { onProgress: (progress) => seen.push(progress) });
    const downloading = seen.filter(({ doing }) => doing === 'downloading');
    const sizes = await Promise.all(
      [summary.model, summary.vision!].map(async ({ directory }) =>
        readFile(path.join(directory, 'model.safetensors')),
      ),
    );
    expect(downloading.at(-1)).toMatchObject({
      doneBytes: sizes[0]!.length + sizes[1]!.length,
      totalBytes: sizes[0]!.length + sizes[1]!.length,
    });
    const converting = seen.filter(({ doing }) => doing === 'converting').at(-1)!;
    expect(converting.doneBytes).toBe(converting.totalBytes);
    expect(seen.indexOf(downloading.at(-1)!)).toBeLessThan(seen.indexOf(converting));
  });
});

describe('of each family a pull brings', () => {
  test('shards and no tower of llava-hf, although there are torch weights', async () => {
    const source = { ...llava, repository: 'llava-hf/llava-1.5-7b-hf' };
    const { hub, asked } = await serveAll(await modelRepository(source.repository, 'llava-hf'));
    const place = await scratch();
    expect(await pull(hub, place, { source })).toMatchObject({ vision: null, family: 'llava' });
    expect(
      asked()
        .map((name) => path.basename(name))
        .sort(),
    ).toEqual(Object.keys(await checkpointFiles('llava-hf')).sort());
    const vision = { repository: clipRepository, revision: 'main' };
    await expect(pull(hub, place, { source: { ...source, vision } })).rejects.toThrow(
      /^model llava-hf\/llava-1\.5-7b-hf: holds its own vision tower, .*; leave out --vision$/,
    );
  });

  test('only the configs of the tower of MobileVLM_V2', async () => {
    const source = { ...llava, repository: 'mtgv/MobileVLM_V2-1.7B' };
    const clip = await modelRepository(clipRepository, 'llava/clip');
    const { 'config.json': config, 'preprocessor_config.json': processor } =
      await checkpointFiles('mobilevlm/clip');
    const files = { ...clip.files, 'config.json': config!, 'preprocessor_config.json': processor! };
    const { hub, asked } = await serveAll(await modelRepository(source.repository, 'mobilevlm'), {
      ...clip,
      files,
    });
    const place = await scratch();
    expect(await pull(hub, place, { source })).toMatchObject({
      family: 'mobilevlm',
      bundle: { status: 'converted' },
    });
    expect(asked().filter((name) => name.startsWith(clipRepository))).toEqual([
      `${clipRepository}/config.json`,
      `${clipRepository}/preprocessor_config.json`,
    ]);
    const { manifest } = await openBundle(bundleIn(place).directory, { verify: 'sizes' });
    expect(manifest.prompt.name).toBe('v1');
  });

  test('the InternViT of InternVL-Chat, from the repository that is given or named', async () => {
    const source = { ...llava, repository: 'OpenGVLab/InternVL-Chat-ViT-6B-Vicuna-7B' };
    const tower = await modelRepository('OpenGVLab/InternViT-6B-224px', 'internvl/InternViT-6B-224px');
    const { hub, asked } = await serveAll(await modelRepository(source.repository, 'internvl'), tower, {
      ...tower,
      id: 'me/InternViT-6B-copy',
    });
    const place = await scratch();
    expect(await pull(hub, place, { source })).toMatchObject({ vision: { repository: tower.id } });
    expect(asked()).toContain(`${tower.id}/model.safetensors`);
    const vision = { repository: 'me/InternViT-6B-copy', revision: 'main' };
    expect(await pull(hub, place, { source: { ...source, vision } })).toMatchObject({
      vision: { repository: vision.repository },
      bundle: { status: 'converted' },
    });
  });
});

describe('before any weights a pull refuses', () => {
  async function refused(
    change: (files: Record<string, Buffer>) => void,
    request: Partial<PullRequest> = {},
  ): Promise<{ readonly message: string; readonly asked: string[]; readonly place: Place }> {
    const [model, ...others] = await llavaRepositories();
    const files = { ...model!.files };
    change(files);
    const { hub, asked } = await serveAll({ ...model!, files }, ...others);
    const place = await scratch();
    const message = await pull(hub, place, request).then(
      () => 'it was not refused',
      (error: Error) => error.message,
    );
    return { message, asked: asked(), place };
  }

  function changedConfig(changes: object): (files: Record<string, Buffer>) => void {
    return (files) => {
      const config = JSON.parse(files['config.json']!.toString());
      files['config.json'] = Buffer.from(JSON.stringify({ ...config, ...changes }));
    };
  }

  test.each<[string, (files: Record<string, Buffer>) => void, RegExp]>([
    [
      'a model of another kind',
      (files) => {
        files['config.json'] = Buffer.from(JSON.stringify({ model_type: 'qwen2_vl' }));
      },
      /config\.json: is not the config of a LLaVA, .*\(model_type qwen2_vl\); /,
    ],
    [
      'a projector of another kind',
      changedConfig({ mm_projector_type: 'mlp3x_gelu' }),
      /config\.json: mm_projector_type: only mlp2x_gelu is supported; /,
    ],
    [
      'a tower that is no repository',
      changedConfig({ mm_vision_tower: '/mnt/models/clip' }),
      /^model liuhaotian\/llava-v1\.5-7b: its vision tower is "\/mnt\/models\/clip", .*; name one with --vision$/,
    ],
    [
      'a repository without a config',
      (files) => {
        delete files['config.json'];
      },
      /^model liuhaotian\/llava-v1\.5-7b: it has no config\.json; /,
    ],
    [
      'a repository without weights',
      (files) => {
        for (const name of ['model.safetensors', 'pytorch_model.bin', 'pytorch_model.bin.index.json'])
          delete files[name];
      },
      /^model liuhaotian\/llava-v1\.5-7b: it has none of model\.safetensors, /,
    ],
    [
      'an index that names what is not there',
      (files) => {
        delete files['model.safetensors'];
        const weight_map = { a: 'model-00001-of-00002.safetensors' };
        files['model.safetensors.index.json'] = Buffer.from(JSON.stringify({ weight_map }));
      },
      /^model .*: model\.safetensors\.index\.json names model-00001-of-00002\.safetensors, which is not there; /,
    ],
    [
      'an index that leads elsewhere',
      (files) => {
        delete files['model.safetensors'];
        files['../evil.safetensors'] = Buffer.from('evil');
        const weight_map = { a: '../evil.safetensors' };
        files['model.safetensors.index.json'] = Buffer.from(JSON.stringify({ weight_map }));
      },
      /model\.safetensors\.index\.json: weight_map: a: \S*evil\.safetensors\S* is not a plain file name; /,
    ],
    [
      'a damaged tokenizer',
      (files) => {
        files['tokenizer_config.json'] = Buffer.from('{');
      },
      /tokenizer_config\.json: is not JSON /,
    ],
  ])('%s', async (_, change, expected) => {
    const { message, asked, place } = await refused(change);
    expect(message).toMatch(expected);
    expect(asked.filter((name) => /\.(?:safetensors|bin)$/.test(name))).toEqual([]);
    expect(await filesIn(place.bundles)).toEqual([]);
  });

  test('a disk without room for weights and bundle together', async () => {
    const asksFor = async (free: number) => {
      const { message, asked } = await refused(() => {}, { freeBytes: async () => free });
      return { message, weights: asked.filter((name) => name.endsWith('.safetensors')).length };
    };
    const { message, weights } = await asksFor(1000);
    expect(weights).toBe(0);
    const [, needed] = /some ([\d.]+) MiB are needed and 0\.0 MiB are free; free /.exec(message) ?? [];
    const files = ['llava/model.safetensors', 'llava/clip/model.safetensors'];
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(fixturePath(`backbones/${name}`))).size),
    );
    const downloads = (sizes[0]! + sizes[1]!) / 2 ** 20;
    // Float16 weights double as float32; token rows stay, and the last layer of the tower is not used.
    expect(Number(needed)).toBeGreaterThan(2 * downloads);
    expect(Number(needed)).toBeLessThan(3 * downloads);
    expect((await asksFor(100 * 2 ** 20)).message).toBe('it was not refused');
  });

  test('a folder that another process uses', async () => {
    const { hub } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    await pull(hub, place, { bundle: null });
    const release = await lockDirectory(path.join(place.checkpoints, 'liuhaotian--llava-v1.5-7b'));
    await expect(pull(hub, place)).rejects.toThrow(
      /process \d+ is writing to it; .* give another --checkpoint-dir$/,
    );
    await release();
    await pull(hub, place);
  });
});

describe('a pull that is cut short', () => {
  test('by the network continues where it stopped, within a command and by the next one', async () => {
    const [model, clip] = await llavaRepositories();
    const size = model!.files['model.safetensors']!.length;
    const small = Object.keys(await checkpointFiles('llava')).length - 1;
    const wholes: Delivery[] = Array(small).fill(deliver);
    const cut = {
      ...model!,
      deliveries: [...wholes, deliverAndCut(200_000), deliverAndCut(100_000), deliverAndCut(0)],
    };
    const failing = await serveAll(cut, clip!);
    const place = await scratch();
    await expect(pull(failing.hub, place)).rejects.toThrow(/model\.safetensors of model .*: it continues$/);
    expect(failing.retries.length).toBeGreaterThan(0);
    const mended = await serveAll(model!, clip!);
    const summary = await pull(mended.hub, place);
    expect(summary.bundle?.status).toBe('converted');
    const continued = mended.requests.find(
      ({ path: at, range }) => at.endsWith('model.safetensors') && range !== null,
    );
    const start = Number(/^bytes=(\d+)-$/.exec(continued?.range ?? '')?.[1]);
    expect(start).toBeGreaterThan(200_000);
    expect(summary.downloadedBytes).toBe(size - start + clip!.files['model.safetensors']!.length);
  });

  test('by a file that is not what the hub lists keeps nothing of it and makes no bundle', async () => {
    const claimed = { 'model.safetensors': '0'.repeat(64) };
    const { hub } = await serveAll(...(await llavaRepositories({ claimed })));
    const place = await scratch();
    await expect(pull(hub, place)).rejects.toThrow(
      /model\.safetensors of model .*: what came is not the file: its checksum/,
    );
    const weights = (await filesIn(place.checkpoints)).filter((name) => name.includes('safetensors'));
    expect(weights).toEqual([]);
    expect(await filesIn(place.bundles)).toEqual([]);
  });

  test('in the middle of the conversion leaves the checkpoint, and nothing beside it', async () => {
    const { hub, asked } = await serveAll(...(await llavaRepositories()));
    const place = await scratch();
    const stopping = new AbortController();
    const stopped = pull(hub, place, {
      signal: stopping.signal,
      onProgress: ({ doing }) => {
        if (doing === 'converting') stopping.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(await readdir(place.bundles)).toEqual([]);
    asked();
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'converted' } });
    expect(asked()).toEqual([]);
  });
});

describe('another commit', () => {
  const later = 'd'.repeat(40);

  test('brings only what it changed, and what it has not is gone', async () => {
    const [model, clip] = await llavaRepositories();
    const place = await scratch();
    await pull((await serveAll(model!, clip!)).hub, place);
    // Shards instead of one file, no generation_config.json, and another text that nobody needs.
    const { 'model.safetensors': whole, 'generation_config.json': _, ...rest } = model!.files;
    const shard = 'model-00001-of-00001.safetensors';
    const names = Object.keys(
      JSON.parse(whole!.subarray(8, 8 + Number(whole!.readBigUInt64LE(0))).toString()),
    );
    const weight_map = Object.fromEntries(
      names.filter((name) => name !== '__metadata__').map((name) => [name, shard]),
    );
    const index = Buffer.from(JSON.stringify({ weight_map }));
    const files = {
      ...rest,
      [shard]: whole!,
      'model.safetensors.index.json': index,
      'README.md': Buffer.from('new'),
    };
    const { hub, asked } = await serveAll({ ...model!, files, commit: later }, clip!);
    expect(await pull(hub, place)).toMatchObject({
      model: { commit: later },
      bundle: { status: 'converted' },
    });
    expect(asked()).toEqual([
      `${llava.repository}/model.safetensors.index.json`,
      `${llava.repository}/${shard}`,
    ]);
    const left = await filesIn(path.join(place.checkpoints, 'liuhaotian--llava-v1.5-7b'));
    expect(left).toEqual(
      Object.keys(files)
        .filter((name) => !(name in unneeded))
        .sort(),
    );
  });

  test('that changed nothing that is needed leaves the bundle as it is', async () => {
    const [model, clip] = await llavaRepositories();
    const place = await scratch();
    await pull((await serveAll(model!, clip!)).hub, place);
    const files = { ...model!.files, 'README.md': Buffer.from('new') };
    const { hub } = await serveAll({ ...model!, files, commit: later }, clip!);
    expect(await pull(hub, place)).toMatchObject({ downloadedBytes: 0, bundle: { status: 'present' } });
  });

  test('can be asked for by its name, and is the one that is downloaded', async () => {
    const [model, clip] = await llavaRepositories();
    const { hub, requests } = await serveAll({ ...model!, commit: later }, clip!);
    const place = await scratch();
    await pull(hub, place, { bundle: null, source: { ...llava, revision: later } });
    const files = requests.filter(({ path: at }) => at.startsWith(`/${llava.repository}/`));
    expect(files.every(({ path: at }) => at.includes(`/resolve/${later}/`))).toBe(true);
    const missing = pull(hub, place, { bundle: null, source: { ...llava, revision: 'v9' } });
    await expect(missing).rejects.toThrow(/revision v9: .*HTTP 404/);
  });
});
