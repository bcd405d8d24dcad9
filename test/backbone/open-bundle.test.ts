import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BundleManifest, bundleFormat, bundleManifestName } from '../../src/backbone/bundle-manifest.js';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { sha256 } from '../../src/core/content-hash.js';
import { UserError } from '../../src/core/errors.js';

const contents: Readonly<Record<string, string>> = {
  'segment-000.onnx': 'first',
  'segment-001.onnx': 'second',
  'vision.onnx': 'eyes',
  'embedding.bin': 'rows',
  'tokenizer.json': '{}',
  'tokenizer_config.json': '{}',
};

const manifest: BundleManifest = {
  format: bundleFormat,
  name: 'made-up',
  family: 'llava',
  source: { kind: 'checkpoint', layout: 'llava', files: [] },
  weights: { layers: { dtype: 'fp32' }, head: { dtype: 'fp32' }, vision: { dtype: 'fp32' } },
  matrices: [],
  text: {
    hiddenSize: 4,
    intermediateSize: 8,
    layers: 1,
    heads: 2,
    kvHeads: 2,
    headDim: 2,
    vocabSize: 1,
    rmsNormEps: 1e-5,
    ropeTheta: 10000,
    maxPositions: 16,
  },
  vision: {
    ...{ tower: 'clip', projector: 'mlp2x_gelu' },
    ...{ hiddenSize: 4, imageSize: 8, patchSize: 4, layers: 1, patches: 4, tokensPerImage: 4 },
  },
  image: { aspect: 'pad', size: 8, mean: [0, 0, 0], std: [1, 1, 1], rescaleFactor: 1 / 255 },
  prompt: { name: 'custom', before: '', after: '', stopStrings: [] },
  tokens: { bos: 1, eos: 2, addBos: true },
  embedding: { file: 'embedding.bin', dtype: 'F32' },
  graphs: { segments: ['segment-000.onnx', 'segment-001.onnx'], vision: 'vision.onnx' },
  files: Object.entries(contents).map(([path, content]) => ({
    path,
    bytes: content.length,
    sha256: sha256(content),
  })),
};

let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lookm-bundle-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A complete bundle on disk with another manifest text when one is given. */
function bundleWith(manifestText: string = JSON.stringify(manifest)): string {
  const directory = join(root, String(count++));
  mkdirSync(directory);
  for (const [path, content] of Object.entries(contents)) writeFileSync(join(directory, path), content);
  writeFileSync(join(directory, bundleManifestName), manifestText);
  return directory;
}

async function problemOf(directory: string, verify: 'sizes' | 'hashes' = 'sizes'): Promise<string> {
  const error: unknown = await openBundle(directory, { verify }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error instanceof UserError ? error.message : '';
}

test.each(['sizes', 'hashes'] as const)('a complete bundle opens (%s)', async (verify) => {
  const directory = bundleWith();
  expect(await openBundle(directory, { verify })).toEqual({ directory, manifest });
});

describe('the manifest', () => {
  test('missing', async () => {
    const directory = join(root, 'empty');
    mkdirSync(directory);
    expect(await problemOf(directory)).toMatch(/bundle\.json: does not exist; run lookm convert/);
  });

  test('malformed JSON', async () => {
    expect(await problemOf(bundleWith('{"format": 1,'))).toMatch(/bundle\.json: is not JSON/);
    expect(await problemOf(bundleWith('[]'))).toMatch(/bundle\.json: .*expected object/);
  });

  test.each([0, bundleFormat - 1, bundleFormat + 1, '1', null])(
    'another format number: %j',
    async (format) => {
      expect(await problemOf(bundleWith(JSON.stringify({ ...manifest, format })))).toContain(
        `bundle format ${JSON.stringify(format)} is not the format ${bundleFormat} this version reads; run lookm convert again`,
      );
    },
  );

  test('a wrong field is named', async () => {
    const text = JSON.stringify({ ...manifest, text: { ...manifest.text, heads: 0 }, extra: 1 });
    const problem = await problemOf(bundleWith(text));
    expect(problem).toMatch(/text: heads: /);
    expect(problem).toContain('extra');
    expect(problem).not.toContain('\n');
  });

  test('a file that is used must be listed, so that it is checked', async () => {
    const graphs = { ...manifest.graphs, vision: '../elsewhere.onnx' };
    expect(await problemOf(bundleWith(JSON.stringify({ ...manifest, graphs })))).toContain(
      'uses ../elsewhere.onnx but does not list it',
    );
  });

  test.each(['../vision.onnx', 'a/b', '/etc/passwd', '..', '.'])('the path %s is refused', async (path) => {
    const files = [...manifest.files, { path, bytes: 4096, sha256: '0'.repeat(64) }];
    await problemOf(bundleWith(JSON.stringify({ ...manifest, files })));
  });
});

describe('the files', () => {
  test('a missing file is named', async () => {
    const directory = bundleWith();
    rmSync(join(directory, 'vision.onnx'));
    expect(await problemOf(directory)).toMatch(/vision\.onnx: .*run lookm convert again/);
  });

  test('a file of another size is named', async () => {
    const directory = bundleWith();
    writeFileSync(join(directory, 'embedding.bin'), 'row');
    expect(await problemOf(directory)).toContain('embedding.bin: has 3 bytes instead of 4');
  });

  test('a changed byte is found by hashes only', async () => {
    const directory = bundleWith();
    writeFileSync(join(directory, 'segment-001.onnx'), 'sec0nd');
    await expect(openBundle(directory, { verify: 'sizes' })).resolves.toBeDefined();
    expect(await problemOf(directory, 'hashes')).toMatch(
      /segment-001\.onnx: has another SHA-256 than when it was converted; run lookm convert again/,
    );
  });

  test('a directory in place of a file is refused', async () => {
    const directory = bundleWith();
    rmSync(join(directory, 'vision.onnx'));
    mkdirSync(join(directory, 'vision.onnx'));
    expect(await problemOf(directory)).toContain('vision.onnx: is not a file');
  });

  test('a bundle works after it was copied or linked elsewhere', async () => {
    const directory = bundleWith();
    cpSync(directory, join(root, 'copy'), { recursive: true });
    symlinkSync(directory, join(root, 'link'));
    for (const name of ['copy', 'link']) {
      await expect(openBundle(join(root, name), { verify: 'hashes' })).resolves.toMatchObject({ manifest });
    }
  });
});
