import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { expect, test } from 'vitest';
import { bundleManifestSchema } from '../../src/backbone/bundle-manifest.js';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { openTokenizer } from '../../src/backbone/tokenizer.js';
import { type ConvertOptions, convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { sha256 } from '../../src/core/content-hash.js';
import { bytesOf } from '../../src/core/tensor.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import { syntheticCheckpoint, writeCheckpoint } from '../checkpoint/synthetic-checkpoint.js';
import { readSafetensors } from '../support/read-safetensors.js';
import { basicPieces, sentencePieceFile } from '../support/sentencepiece-file.js';
import { anyPrompt } from './bundle-sessions.js';

const backbones = join(import.meta.dirname, '..', 'fixtures', 'backbones');
const tinyLlava = join(import.meta.dirname, '..', '..', 'models', 'tiny-llava');

function convert(checkpoint: string, out: string, more: Partial<ConvertOptions> = {}) {
  return convertCheckpoint({ checkpoint, out, dtype: 'fp32', prompt: anyPrompt, ...more });
}

/** Every file of a directory by name. */
async function contents(dir: string): Promise<Record<string, string>> {
  const names = (await readdir(dir)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, sha256(await readFile(join(dir, name)))] as const)),
  );
}

interface External {
  file: string;
  offset: number;
  length: number;
}

/** Where the graphs of a bundle find their weights. */
async function externals(dir: string): Promise<Map<string, External>> {
  const found = new Map<string, External>();
  for (const name of await readdir(dir)) {
    if (!name.endsWith('.onnx')) continue;
    const model = onnxProto.onnx.ModelProto.decode(await readFile(join(dir, name)));
    for (const tensor of model.graph?.initializer ?? []) {
      const fields = new Map((tensor.externalData ?? []).map(({ key, value }) => [key, value]));
      const file = fields.get('location');
      if (!tensor.name || !file) continue;
      const [offset, length] = [Number(fields.get('offset')), Number(fields.get('length'))];
      found.set(tensor.name, { file, offset, length });
    }
  }
  return found;
}

test('the manifest names every file of the bundle with its size and hash', async () => {
  const dir = join(scratchDirectory(), 'bundle');
  const manifest = await convert(tinyLlava, dir);
  const written = await contents(dir);
  const { 'bundle.json': _, ...rest } = written;
  expect(Object.fromEntries(manifest.files.map((file) => [file.path, file.sha256]))).toEqual(rest);
  for (const { path, bytes } of manifest.files) {
    expect((await readFile(join(dir, path))).length).toBe(bytes);
  }
  const stored = bundleManifestSchema.parse(JSON.parse(await readFile(join(dir, 'bundle.json'), 'utf8')));
  expect(stored).toEqual(manifest);
  expect(manifest.graphs.segments).toHaveLength(manifest.text.layers + 1);
});

test('the same checkpoint gives the same bytes, wherever it lies and however it is named', async () => {
  const scratch = scratchDirectory();
  await cp(join(backbones, 'llava'), join(scratch, 'elsewhere'), { recursive: true });
  await convert(join(backbones, 'llava'), join(scratch, 'a'), { name: 'same' });
  await convert(join(scratch, 'elsewhere'), join(scratch, 'deep', 'b'), {
    name: 'same',
    vision: join(scratch, 'elsewhere', 'clip'),
  });
  expect(await contents(join(scratch, 'a'))).toEqual(await contents(join(scratch, 'deep', 'b')));
});

test('the element type of the checkpoint changes nothing but the token rows', async () => {
  const scratch = scratchDirectory();
  const checkpoint = syntheticCheckpoint();
  const bundles = [];
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    const dir = join(scratch, dtype);
    const manifest = await convert(
      await writeCheckpoint(join(scratch, `from-${dtype}`), checkpoint, dtype),
      dir,
    );
    expect(manifest.embedding.dtype).toBe(dtype);
    const { 'bundle.json': _, 'embedding.bin': __, ...rest } = await contents(dir);
    bundles.push(rest);
  }
  expect(bundles[1]).toEqual(bundles[0]);
  expect(bundles[2]).toEqual(bundles[0]);
});

test('the sharded llava-hf checkpoint gives the weights of the llava one', async () => {
  const scratch = scratchDirectory();
  const [original, hf] = [join(scratch, 'llava'), join(scratch, 'llava-hf')];
  await convert(join(backbones, 'llava'), original);
  await convert(join(backbones, 'llava-hf'), hf);
  const [a, b] = [await externals(original), await externals(hf)];
  expect([...b.keys()].sort()).toEqual([...a.keys()].sort());
  const different = [];
  for (const [name, { file, offset, length }] of a) {
    const ours = (await readFile(join(original, file))).subarray(offset, offset + length);
    const start = b.get(name)!.offset;
    // The vocabulary of llava-hf is padded and its rotary tables are longer: more rows after the same ones.
    const theirs = (await readFile(join(hf, b.get(name)!.file))).subarray(start, start + length);
    if (!ours.equals(theirs)) different.push(name);
  }
  expect(different).toEqual([]);
  expect(a.size).toBeGreaterThan(50);
});

test('every tensor starts on a page, once in the bundle', async () => {
  const dir = join(scratchDirectory(), 'bundle');
  const manifest = await convert(tinyLlava, dir);
  const tensors = [...(await externals(dir)).values()];
  expect(tensors.filter(({ offset }) => offset % 4096 !== 0)).toEqual([]);
  for (const file of ['weights.bin', 'vision.bin']) {
    const inFile = tensors.filter((tensor) => tensor.file === file).sort((a, b) => a.offset - b.offset);
    for (const [i, { offset, length }] of inFile.entries()) {
      const end = inFile[i + 1]?.offset ?? manifest.files.find(({ path }) => path === file)!.bytes;
      expect(offset + length).toBeLessThanOrEqual(end);
      expect(end - (offset + length)).toBeLessThan(4096);
    }
  }
});

test('token rows are copied as they are', async () => {
  const dir = join(scratchDirectory(), 'bundle');
  const checkpoint = join(backbones, 'llava');
  await convert(checkpoint, dir);
  const { tensors } = readSafetensors(join(checkpoint, 'model.safetensors'));
  const rows = bytesOf(tensors.get('model.embed_tokens.weight')!.data);
  expect((await readFile(join(dir, 'embedding.bin'))).equals(rows)).toBe(true);
});

test('a prompt file in the checkpoint wins over the template, and its BOS is not added again', async () => {
  const { prompt, tokens } = await convert(tinyLlava, join(scratchDirectory(), 'bundle'));
  expect(prompt).toEqual({
    name: 'custom',
    before: '<s> user : ',
    after: ' assistant :',
    stopStrings: ['</s>'],
  });
  expect(tokens).toEqual({ bos: 2, eos: 3, addBos: false });
});

test('without a prompt file the template given is kept', async () => {
  const { prompt, tokens } = await convert(join(backbones, 'llava'), join(scratchDirectory(), 'bundle'));
  expect(prompt).toEqual(anyPrompt);
  expect(tokens).toEqual({ bos: 1, eos: 2, addBos: true });
});

test('images are padded unless the caller says otherwise', async () => {
  const scratch = scratchDirectory();
  const hf = join(backbones, 'llava-hf');
  expect((await convert(hf, join(scratch, 'a'))).image.aspect).toBe('pad');
  expect((await convert(hf, join(scratch, 'b'), { aspect: 'crop' })).image.aspect).toBe('crop');
});

test('progress ends at the announced total', async () => {
  const seen: { doneBytes: number; totalBytes: number }[] = [];
  await convert(tinyLlava, join(scratchDirectory(), 'bundle'), { onProgress: (step) => seen.push(step) });
  const last = seen.at(-1)!;
  expect(last.doneBytes).toBe(last.totalBytes);
  expect(seen.every((step, i) => i === 0 || step.doneBytes > seen[i - 1]!.doneBytes)).toBe(true);
});

test('a failed conversion leaves nothing behind', async () => {
  const scratch = scratchDirectory();
  const checkpoint = await writeCheckpoint(join(scratch, 'checkpoint'), syntheticCheckpoint());
  const failure = new Error('stop');
  const stop = (): never => {
    throw failure;
  };
  await expect(convert(checkpoint, join(scratch, 'bundle'), { onProgress: stop })).rejects.toBe(failure);
  expect(await readdir(scratch)).toEqual(['checkpoint']);
});

test('an older bundle is replaced as a whole', async () => {
  const scratch = scratchDirectory();
  const dir = join(scratch, 'bundle');
  await convert(tinyLlava, dir);
  const manifest = await convert(join(backbones, 'llava'), dir);
  expect(Object.keys(await contents(dir))).toHaveLength(manifest.files.length + 1);
  expect(await readdir(scratch)).toEqual(['bundle']);
});

test('two conversions to one place at once both succeed', async () => {
  const scratch = scratchDirectory();
  const dir = join(scratch, 'bundle');
  const [first] = await Promise.all([convert(tinyLlava, dir), convert(tinyLlava, dir)]);
  expect(Object.keys(await contents(dir))).toHaveLength(first.files.length + 1);
  expect(await readdir(scratch)).toEqual(['bundle']);
});

test('a directory with other files is refused and left as it is', async () => {
  const dir = join(scratchDirectory(), 'papers');
  await mkdir(dir);
  await writeFile(join(dir, 'thesis.tex'), 'years of work');
  await expect(convert(tinyLlava, dir)).rejects.toThrow(`${dir}: is a directory with other files in it`);
  expect(await readdir(dir)).toEqual(['thesis.tex']);
});

test('a place under a file is refused', async () => {
  const scratch = scratchDirectory();
  await writeFile(join(scratch, 'file'), '');
  await expect(convert(tinyLlava, join(scratch, 'file', 'bundle'))).rejects.toThrow('cannot become a bundle');
});

test('tied token rows serve as the output matrix', async () => {
  const scratch = scratchDirectory();
  const checkpoint = syntheticCheckpoint();
  checkpoint.config.text_config['tie_word_embeddings'] = true;
  const rows = checkpoint.weights.get('model.language_model.embed_tokens.weight')!.values;
  checkpoint.weights.delete('lm_head.weight');
  const dir = join(scratch, 'bundle');
  await convert(await writeCheckpoint(join(scratch, 'checkpoint'), checkpoint), dir);
  const head = (await externals(dir)).get('head')!;
  const stored = (await readFile(join(dir, head.file))).subarray(head.offset, head.offset + head.length);
  expect(stored.equals(new Uint8Array(rows.buffer))).toBe(true);
});

test('the map of special tokens may be absent', async () => {
  const scratch = scratchDirectory();
  const checkpoint = join(scratch, 'checkpoint');
  await mkdir(checkpoint);
  for (const name of await readdir(tinyLlava)) await copyFile(join(tinyLlava, name), join(checkpoint, name));
  await rm(join(checkpoint, 'special_tokens_map.json'));
  const { files } = await convert(checkpoint, join(scratch, 'bundle'));
  expect(files.map(({ path }) => path)).not.toContain('special_tokens_map.json');
});

test('a tokenizer.model becomes the tokenizer.json of the bundle, and its hash is in the manifest', async () => {
  const scratch = scratchDirectory();
  const checkpoint = join(scratch, 'checkpoint');
  const synthetic = syntheticCheckpoint({ vocabulary: basicPieces.length + 3 });
  delete synthetic.files['tokenizer.json'];
  delete synthetic.files['tokenizer_config.json'];
  await writeCheckpoint(checkpoint, synthetic);
  const letters = ['a', 'b', 'ab'].map((text, index) => ({ text, score: -index }));
  const model = sentencePieceFile({ pieces: [...basicPieces, ...letters] });
  await writeFile(join(checkpoint, 'tokenizer.model'), model);

  const [first, second] = [join(scratch, 'first'), join(scratch, 'second')];
  const manifest = await convert(checkpoint, first, { name: 'same' });
  await convert(checkpoint, second, { name: 'same' });
  expect(manifest.source).toMatchObject({
    files: expect.arrayContaining([{ path: 'tokenizer.model', sha256: sha256(model) }]),
  });
  expect(manifest.tokens).toEqual({ bos: 1, eos: 2, addBos: true });
  expect(await contents(second)).toEqual(await contents(first));
  const tokenizer = await openTokenizer((await openBundle(first, { verify: 'hashes' })).directory);
  expect(tokenizer.encode('</s>ab')).toEqual([2, 3 + 0xe2, 3 + 0x96, 3 + 0x81, basicPieces.length + 2]);
});
