import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { downloadFile, partPath } from '../../src/hub/download-file.js';
import type { HubConnection } from '../../src/hub/hub-connection.js';
import type { RemoteFile } from '../../src/hub/list-files.js';
import type { PinnedRepository } from '../../src/hub/repository.js';
import { commit, connect, type Delivery, deliver, serve } from './fake-hub.js';

const model: PinnedRepository = { type: 'model', id: 'owner/small', revision: 'main', commit };

const content = Buffer.from('0123456789'.repeat(100));

const sha256: RemoteFile = {
  path: 'weights/model one.bin',
  bytes: content.length,
  checksum: { algorithm: 'sha256', hex: createHash('sha256').update(content).digest('hex') },
};

async function scratch(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-download-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return path.join(directory, 'model.bin');
}

/** A server of one file, one delivery a request. */
async function serveFile(...deliveries: readonly Delivery[]) {
  let requests = 0;
  return serve((request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    deliveries[Math.min(requests++, deliveries.length - 1)]!(content, from, response);
  });
}

function bring(hub: HubConnection, target: string, file: RemoteFile = sha256): Promise<number> {
  const signal = new AbortController().signal;
  return downloadFile({ hub, repository: model, file, target, signal, onBytes: () => {} });
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end();
}

describe('a file of a model', () => {
  test('has an address without a prefix, each name of it encoded', async () => {
    const { origin, asked } = await serveFile(deliver);
    const target = await scratch();
    await bring(connect(origin).hub, target);
    expect(asked.map(({ path: at }) => at)).toEqual([
      `/owner/small/resolve/${commit}/weights/model%20one.bin`,
    ]);
    expect(await readFile(target)).toEqual(content);
  });

  test('that is small is checked by the name git gives it', async () => {
    // git hash-object of the content.
    const hex = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const file: RemoteFile = { ...sha256, checksum: { algorithm: 'git-blob', hex } };
    const { origin } = await serveFile(deliver);
    const target = await scratch();
    const { hub } = connect(origin);
    expect(await bring(hub, target, file)).toBe(content.length);
    const other: RemoteFile = { ...file, checksum: { algorithm: 'git-blob', hex: '0'.repeat(40) } };
    await expect(bring(hub, await scratch(), other)).rejects.toThrow(/its checksum is not 0{40}/);
  });

  test('without content needs no request', async () => {
    const hex = createHash('sha256').digest('hex');
    const { origin, asked } = await serveFile(deliver);
    const target = await scratch();
    await bring(connect(origin).hub, target, { ...sha256, bytes: 0, checksum: { algorithm: 'sha256', hex } });
    expect(await readFile(target)).toHaveLength(0);
    expect(asked).toEqual([]);
  });
});

describe('a part on the disk', () => {
  async function withPart(part: Buffer, ...deliveries: readonly Delivery[]) {
    const { origin, asked } = await serveFile(...deliveries);
    const target = await scratch();
    await writeFile(partPath(target, sha256), part);
    const received = await bring(connect(origin).hub, target);
    expect(await readFile(target)).toEqual(content);
    expect(await readdir(path.dirname(target))).toEqual([path.basename(target)]);
    return { received, ranges: asked.map(({ range }) => range) };
  }

  test('is continued', async () => {
    const { received, ranges } = await withPart(content.subarray(0, 400), deliver);
    expect({ received, ranges }).toEqual({ received: 600, ranges: ['bytes=400-'] });
  });

  test('that is whole is only checked', async () => {
    expect(await withPart(content, deliver)).toEqual({ received: 0, ranges: [] });
  });

  test('that is longer than the file is dropped', async () => {
    expect((await withPart(Buffer.alloc(2000), deliver)).ranges).toEqual([null]);
  });

  test.each<[string, Delivery]>([
    ['the range unknown', (_content, _from, response) => response.writeHead(416).end()],
    [
      'another range',
      (whole, _from, response) => {
        const range = `bytes 100-${whole.length - 1}/${whole.length}`;
        response.writeHead(206, { 'content-range': range }).end(whole.subarray(100));
      },
    ],
    [
      'a range of a file of another size',
      (_content, from, response) =>
        response.writeHead(206, { 'content-range': `bytes ${from}-9998/9999` }).end('x'),
    ],
  ])('is dropped when the server calls %s', async (_name, answer) => {
    const { ranges } = await withPart(content.subarray(0, 400), answer, deliver);
    expect(ranges).toEqual(['bytes=400-', null]);
  });

  test('of other content is noticed at the end and removed', async () => {
    const { origin } = await serveFile(deliver);
    const target = await scratch();
    await writeFile(partPath(target, sha256), 'not the beginning of this file');
    const { hub } = connect(origin);
    await expect(bring(hub, target)).rejects.toThrow(/its checksum is not .*nothing of it was kept/);
    expect(await readdir(path.dirname(target))).toEqual([]);
    expect(await bring(hub, target)).toBe(content.length);
  });
});

test.skipIf(process.platform !== 'linux')('a disk without room ends a download with what to do', async () => {
  const { origin } = await serveFile(deliver);
  const target = await scratch();
  // The device that every write finds full.
  await symlink('/dev/full', partPath(target, sha256));
  const full = bring(connect(origin).hub, target);
  await expect(full).rejects.toThrow(/\.part: the disk is full; free some space .*: it continues$/);
  await expect(full).rejects.toBeInstanceOf(UserError);
});

describe('a redirect', () => {
  test('to another host keeps the range and drops the token', async () => {
    const elsewhere = await serve((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      deliver(content, from, response);
    });
    const { origin, asked } = await serve((_request, response) =>
      redirect(response, `${elsewhere.origin}/x?signature=1`),
    );
    const target = await scratch();
    await writeFile(partPath(target, sha256), content.subarray(0, 10));
    await bring(connect(origin, { token: 'hf_secret' }).hub, target);
    expect(asked.map(({ authorization, range }) => [authorization, range])).toEqual([
      ['Bearer hf_secret', 'bytes=10-'],
    ]);
    expect(elsewhere.asked).toEqual([{ path: '/x', range: 'bytes=10-', authorization: null }]);
  });

  test('within the hub keeps the token', async () => {
    const { origin, asked } = await serve((request, response) => {
      if (request.url === '/renamed') deliver(content, 0, response);
      else redirect(response, '/renamed');
    });
    await bring(connect(origin, { token: 'hf_secret' }).hub, await scratch());
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer hf_secret', 'Bearer hf_secret']);
  });

  test.each<[string, string, RegExp]>([
    ['in circles', '/again', /redirects more than 5 times; check --endpoint/],
    ['to a file', 'file:///etc/passwd', /redirects to something that is no web address/],
    ['to nonsense', 'http://', /redirects to something that is no web address/],
  ])('%s is refused', async (_name, location, expected) => {
    const { origin } = await serve((_request, response) => redirect(response, location));
    await expect(bring(connect(origin).hub, await scratch())).rejects.toThrow(expected);
  });

  test('from https to http is refused', async () => {
    const fetch: HubConnection['fetch'] = async () =>
      new Response(null, { status: 302, headers: { location: 'http://hub.example/x' } });
    const { hub } = connect('https://hub.example', { fetch });
    await expect(bring(hub, await scratch())).rejects.toThrow(/redirects from https to http/);
  });
});

describe('a hub that does not answer', () => {
  test('is named with the reason after some attempts, with waits that double', async () => {
    const { origin } = await serve(() => {});
    const closed = origin.replace(/\d+$/, '1');
    const { hub, retries } = connect(closed);
    await expect(bring(hub, await scratch())).rejects.toThrow(
      /model one\.bin of model owner\/small: .*, 5 times in a row; check the network and http:/,
    );
    expect(retries.map(({ waitMs }) => waitMs)).toEqual([500, 1000, 2000, 4000]);
  });

  test.each<[string, Record<string, string>, number]>([
    ['a date, by its own clock', { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }, 9000],
    ['an age', { 'retry-after': '86400' }, 60_000],
    ['nonsense', { 'retry-after': 'soon' }, 500],
    ['the past', { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
  ])('for now and asks to wait for %s is asked again in time', async (_name, headers, waitMs) => {
    const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
    const { origin } = await serveFile(
      (_content, _from, response) => response.writeHead(503, { date, ...headers }).end(),
      deliver,
    );
    const { hub, retries } = connect(origin);
    await bring(hub, await scratch());
    expect(retries).toEqual([expect.objectContaining({ waitMs, why: 'the hub answers HTTP 503' })]);
  });
});

test('a connection that gains a megabyte between failures is never given up', async () => {
  const size = 2 ** 20 + 1;
  const whole = Buffer.alloc(8 * size, 7);
  const hex = createHash('sha256').update(whole).digest('hex');
  let cuts = 0;
  const target = await scratch();
  const file: RemoteFile = { path: 'big', bytes: whole.length, checksum: { algorithm: 'sha256', hex } };
  const { origin } = await serve((request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = `bytes ${from}-${whole.length - 1}/${whole.length}`;
    response.writeHead(206, { 'content-range': range });
    cuts += 1;
    // A body that ends too early, so that every byte sent arrives.
    response.end(whole.subarray(from, from + size));
  });
  const { hub, retries } = connect(origin);
  expect(await bring(hub, target, file)).toBe(whole.length);
  expect(cuts).toBe(8);
  expect(new Set(retries.map(({ waitMs }) => waitMs))).toEqual(new Set([500]));
});
