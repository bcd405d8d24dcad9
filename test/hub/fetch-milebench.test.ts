import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.js';
import { type FetchRequest, type FetchSummary, fetchMileBench } from '../../src/hub/fetch-milebench.js';
import type { HubConnection } from '../../src/hub/hub-connection.js';
import { listTasks, loadTask } from '../../src/milebench/dataset.js';
import { archiveOf, datasetMembers, type Member } from './archives.js';
import { connect, type Delivery, deliver, deliverAndCut, hubAnswer, serve } from './fake-hub.js';

const part1 = 'MileBench_part1.tar.gz';
const part5 = 'MileBench_part5.tar.gz';

async function scratch(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-hub-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return path.join(directory, 'MileBench');
}

let small: Promise<Record<string, Buffer>> | null = null;

/** Archives of a small MileBench, made once; `part5` is large enough to be cut. */
function smallMileBench(): Promise<Record<string, Buffer>> {
  small ??= makeSmallMileBench();
  return small;
}

async function makeSmallMileBench(): Promise<Record<string, Buffer>> {
  const gpr = await datasetMembers('GPR1200', { samples: 3 });
  const docs = await datasetMembers('DocVQA');
  const tqa = await datasetMembers('TQA', { samples: 20, top: 'MileBench/' });
  // Bytes that do not shrink.
  const random = seededRandom(1);
  const noise = Buffer.from(Array.from({ length: 200_000 }, () => random() * 256));
  const padding: Member = { header: { name: 'MileBench/TQA/images/noise.bin' }, content: noise };
  return { [part1]: await archiveOf([...docs, ...gpr]), [part5]: await archiveOf([...tqa, padding]) };
}

function fetchInto(
  root: string,
  hub: HubConnection,
  request: Partial<FetchRequest> = {},
): Promise<FetchSummary> {
  return fetchMileBench({
    hub,
    root,
    revision: 'main',
    datasets: ['TQA'],
    keepArchives: false,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...request,
  });
}

/** Names in a directory, the folder of the fetch left out. */
async function shown(root: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => !name.startsWith('.')).sort();
}

describe('a fetch', () => {
  test('brings datasets that the loader reads, with or without a folder around them, and leaves no archive', async () => {
    const files = await smallMileBench();
    const { origin, asked } = await serve(hubAnswer({ files }));
    const root = await scratch();
    const { hub } = connect(origin);
    const summary = await fetchInto(root, hub, { datasets: ['GPR1200', 'TQA'] });
    expect(summary).toMatchObject({ repository: 'FreedomIntelligence/MileBench', commit: 'c'.repeat(40) });
    expect(summary.downloadedBytes).toBe(files[part1]!.length + files[part5]!.length);
    expect(summary.datasets.map(({ name, status, files: count }) => `${name} ${status} ${count}`)).toEqual([
      'GPR1200 fetched 4',
      'TQA fetched 22',
    ]);
    expect(await shown(root)).toEqual(['GPR1200', 'TQA']);
    expect(await readdir(path.join(root, '.fetch'))).toEqual(['state.json']);
    const tasks = await Promise.all((await listTasks(root)).map(loadTask));
    expect(tasks.map(({ info, samples }) => `${info.name} ${samples.length}`)).toEqual([
      'TQA 20',
      'GPR1200 3',
    ]);
    for (const task of tasks) expect(await task.checkImages(task.samples[0]!, null)).toBeNull();
    // Other archives were not asked for.
    expect(asked.filter(({ path: at }) => at.includes('resolve'))).toHaveLength(2);
  });

  test('repeated downloads nothing, and a missing dataset alone is fetched again', async () => {
    const { origin, asked } = await serve(hubAnswer({ files: await smallMileBench() }));
    const root = await scratch();
    const { hub } = connect(origin);
    await fetchInto(root, hub, { datasets: ['GPR1200', 'DocVQA', 'TQA'] });
    asked.length = 0;
    const again = await fetchInto(root, hub, { datasets: ['GPR1200', 'TQA'] });
    expect(again).toMatchObject({
      downloadedBytes: 0,
      datasets: [{ status: 'present' }, { status: 'present' }],
    });
    expect(asked.some(({ path: at }) => at.includes('resolve'))).toBe(false);
    await rm(path.join(root, 'DocVQA'), { recursive: true });
    const mended = await fetchInto(root, hub, { datasets: ['DocVQA', 'GPR1200'] });
    expect(mended.datasets.map(({ status }) => status)).toEqual(['fetched', 'present']);
  });

  test('keeps archives when asked to, and needs no network for them later', async () => {
    const files = await smallMileBench();
    const { origin, asked } = await serve(hubAnswer({ files }));
    const root = await scratch();
    const { hub } = connect(origin);
    await fetchInto(root, hub, { keepArchives: true });
    expect(files[part5]!.equals(await readFile(path.join(root, '.fetch', part5)))).toBe(true);
    await rm(path.join(root, 'TQA'), { recursive: true });
    asked.length = 0;
    expect(await fetchInto(root, hub, { keepArchives: true })).toMatchObject({ downloadedBytes: 0 });
    expect(asked.some(({ path: at }) => at.includes('resolve'))).toBe(false);
    expect(await shown(root)).toEqual(['TQA']);
  });

  test('reads the list of files page by page', async () => {
    const { origin, asked } = await serve(hubAnswer({ files: await smallMileBench(), pageSize: 1 }));
    const { hub } = connect(origin);
    await fetchInto(await scratch(), hub);
    expect(asked.filter(({ path: at }) => at.includes('/tree/'))).toHaveLength(2);
  });

  test('does not touch a folder that it did not make', async () => {
    const { origin } = await serve(hubAnswer({ files: await smallMileBench() }));
    const root = await scratch();
    const { hub } = connect(origin);
    await fetchInto(root, hub, { datasets: ['GPR1200'] });
    await writeFile(path.join(root, 'TQA'), 'mine');
    await expect(fetchInto(root, hub)).rejects.toThrow(
      /TQA: is there already and was not fetched; move it away/,
    );
    expect(await readFile(path.join(root, 'TQA'), 'utf8')).toBe('mine');
  });
});

describe('a connection that breaks', () => {
  test('in the middle of a file is resumed where it stopped', async () => {
    const files = await smallMileBench();
    const size = files[part5]!.length;
    const deliveries = [deliverAndCut(50_000), deliverAndCut(30_000), deliver];
    const { origin, asked } = await serve(hubAnswer({ files, deliveries }));
    const root = await scratch();
    const { hub, retries } = connect(origin);
    const { downloadedBytes } = await fetchInto(root, hub);
    const ranges = asked.filter(({ path: at }) => at.includes('resolve')).map(({ range }) => range);
    expect(ranges).toHaveLength(3);
    expect(ranges[0]).toBeNull();
    const [, second, third] = ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0));
    expect(second).toBeGreaterThan(0);
    expect(third).toBeGreaterThan(second!);
    // No byte came twice.
    expect(downloadedBytes).toBe(size);
    expect(retries).toHaveLength(2);
    expect(await shown(root)).toEqual(['TQA']);
  });

  test('for good leaves the part, which the next command continues', async () => {
    const files = await smallMileBench();
    const { origin } = await serve(hubAnswer({ files, deliveries: [deliverAndCut(1000)] }));
    const root = await scratch();
    const failing = connect(origin);
    await expect(fetchInto(root, failing.hub)).rejects.toThrow(
      /MileBench_part5\.tar\.gz of dataset .*, 5 times in a row; check the network .*: it continues$/,
    );
    const [part] = (await readdir(path.join(root, '.fetch'))).filter((name) => name.endsWith('.part'));
    const kept = (await stat(path.join(root, '.fetch', part!))).size;
    expect(kept).toBeGreaterThan(0);
    const mended = await serve(hubAnswer({ files }));
    const { hub } = connect(mended.origin);
    expect(await fetchInto(root, hub)).toMatchObject({ downloadedBytes: files[part5]!.length - kept });
    expect(mended.asked.at(-1)?.range).toBe(`bytes=${kept}-`);
    expect(await shown(root)).toEqual(['TQA']);
  });

  test('to a server that ignores ranges starts over, with the right content', async () => {
    const files = await smallMileBench();
    const whole: Delivery = (content, _from, response) => deliver(content, 0, response);
    const { origin } = await serve(hubAnswer({ files, deliveries: [deliverAndCut(50_000), whole] }));
    const root = await scratch();
    const { hub } = connect(origin);
    const { downloadedBytes } = await fetchInto(root, hub);
    expect(downloadedBytes).toBeGreaterThan(files[part5]!.length);
    expect(await shown(root)).toEqual(['TQA']);
  });

  test('by falling silent counts as lost', async () => {
    const files = await smallMileBench();
    const silent: Delivery = (content, _from, response) => {
      response.writeHead(200, { 'content-length': String(content.length) });
      response.write(content.subarray(0, 10));
    };
    const { origin } = await serve(hubAnswer({ files, deliveries: [silent, deliver] }));
    const { hub, retries } = connect(origin, { stallMs: 50 });
    await fetchInto(await scratch(), hub);
    expect(retries.map(({ why }) => why)).toEqual(['no data for 0.05 s']);
  });

  test('at a signal stops and leaves what the next command continues', async () => {
    const files = await smallMileBench();
    const stopping = new AbortController();
    const slow: Delivery = (content, _from, response) => {
      response.writeHead(200, { 'content-length': String(content.length) });
      response.write(content.subarray(0, 40_000));
    };
    const { origin } = await serve(hubAnswer({ files, deliveries: [slow, deliver] }));
    const root = await scratch();
    const { hub } = connect(origin);
    const stopped = fetchInto(root, hub, {
      signal: stopping.signal,
      onProgress: ({ doneBytes }) => {
        if (doneBytes > 0) stopping.abort();
      },
    });
    await expect(stopped).rejects.toThrow(/aborted/);
    expect(await shown(root)).toEqual([]);
    const { downloadedBytes } = await fetchInto(root, hub);
    expect(downloadedBytes).toBeLessThan(files[part5]!.length);
    expect(await shown(root)).toEqual(['TQA']);
  });
});

describe('content that is not what the hub lists', () => {
  test('is refused for a wrong checksum, and nothing is kept or unpacked', async () => {
    const files = await smallMileBench();
    const { origin } = await serve(hubAnswer({ files, claimed: { [part5]: '0'.repeat(64) } }));
    const root = await scratch();
    const { hub } = connect(origin);
    await expect(fetchInto(root, hub)).rejects.toThrow(/its checksum is not 0{64}; nothing of it was kept/);
    expect(await shown(root)).toEqual([]);
    expect(await readdir(path.join(root, '.fetch'))).toEqual([]);
  });

  test('is refused when it is longer than listed', async () => {
    const files = await smallMileBench();
    const longer: Delivery = (content, _from, response) => response.end(Buffer.concat([content, content]));
    const { origin } = await serve(hubAnswer({ files, deliveries: [longer] }));
    const root = await scratch();
    const { hub } = connect(origin);
    await expect(fetchInto(root, hub)).rejects.toThrow(/it has more than \d+ bytes; nothing of it was kept/);
    expect(await readdir(path.join(root, '.fetch'))).toEqual([]);
  });

  test.each<[string, Member, RegExp]>([
    [
      'a path upwards',
      { header: { name: '../TQA/evil' }, content: 'x' },
      /member "\.\.\/TQA\/evil": .*its path leads upwards/,
    ],
    ['an absolute path', { header: { name: '/tmp/TQA/evil' }, content: 'x' }, /its path is absolute/],
    [
      'a symbolic link',
      { header: { name: 'TQA/images/l', type: 'symlink', linkname: '/etc/passwd' } },
      /it is a symlink/,
    ],
    [
      'a hard link',
      { header: { name: 'TQA/images/h', type: 'link', linkname: '/etc/passwd' } },
      /it is a link/,
    ],
  ])('is refused for %s in an archive; no dataset of it appears', async (_name, member, expected) => {
    const sound = await datasetMembers('TQA');
    const files = { [part5]: await archiveOf([...sound, member]) };
    const { origin } = await serve(hubAnswer({ files }));
    const root = await scratch();
    const { hub } = connect(origin);
    await expect(fetchInto(root, hub)).rejects.toThrow(expected);
    expect(await shown(root)).toEqual([]);
    expect((await readdir(path.join(root, '.fetch'))).includes('staging')).toBe(false);
  });

  test('is refused when the wanted dataset is not in it, or has no annotation', async () => {
    const other = await archiveOf(await datasetMembers('WebQA'));
    const { origin } = await serve(hubAnswer({ files: { [part5]: other } }));
    const { hub } = connect(origin);
    await expect(fetchInto(await scratch(), hub)).rejects.toThrow(/TQA not found in it/);
    const bare = await archiveOf([{ header: { name: 'TQA/images/a.png' }, content: 'x' }]);
    const second = await serve(hubAnswer({ files: { [part5]: bare } }));
    const root = await scratch();
    await expect(fetchInto(root, connect(second.origin).hub)).rejects.toThrow(
      /it holds TQA without TQA\/TQA\.json/,
    );
    expect(await shown(root)).toEqual([]);
  });
});

describe('a disk', () => {
  test('with too little room is told of before anything is downloaded', async () => {
    const { origin, asked } = await serve(hubAnswer({ files: await smallMileBench() }));
    const root = await scratch();
    const { hub } = connect(origin);
    await expect(fetchInto(root, hub, { freeBytes: async () => 1000 })).rejects.toThrow(
      /some \d+\.\d MiB are needed and 0\.0 MiB are free; free \d+\.\d MiB or give another --out/,
    );
    expect(asked.some(({ path: at }) => at.includes('resolve'))).toBe(false);
  });
});

describe('the hub', () => {
  test.each<[number, string | null, RegExp]>([
    [401, null, /the hub wants a token \(HTTP 401\); set HF_TOKEN/],
    [401, 'hf_x', /the hub refuses HF_TOKEN \(HTTP 401\)/],
    [403, 'hf_x', /access is not granted \(HTTP 403\); accept its terms/],
    [404, null, /not found at http:.* \(HTTP 404\); check --revision and --endpoint/],
    [418, null, /the hub answers HTTP 418/],
  ])('answering %i ends the fetch with what to do', async (status, token, expected) => {
    const { origin } = await serve((_request, response) => response.writeHead(status).end());
    const { hub } = connect(origin, { token });
    await expect(fetchInto(await scratch(), hub)).rejects.toThrow(expected);
  });

  test('asking for patience is asked again when it says', async () => {
    const answer = hubAnswer({ files: await smallMileBench() });
    let busy = 2;
    const { origin } = await serve((request, response, url) => {
      if (busy-- > 0) response.writeHead(429, { 'retry-after': '7' }).end();
      else answer(request, response, url);
    });
    const { hub, retries } = connect(origin);
    await fetchInto(await scratch(), hub);
    expect(retries.map(({ waitMs }) => waitMs)).toEqual([7000, 7000]);
  });

  test('sends files from elsewhere, and the token goes to the hub alone', async () => {
    const files = await smallMileBench();
    const elsewhere = await serve((_request, response) => deliver(files[part5]!, 0, response));
    const answer = hubAnswer({ files });
    const { origin, asked } = await serve((request, response, url) => {
      if (!url.pathname.includes('resolve')) return answer(request, response, url);
      response.writeHead(302, { location: `${elsewhere.origin}/blob` }).end();
    });
    const root = await scratch();
    const { hub } = connect(origin, { token: 'hf_secret' });
    await fetchInto(root, hub);
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']));
    expect(elsewhere.asked).toEqual([{ path: '/blob', range: null, authorization: null }]);
    expect(await shown(root)).toEqual(['TQA']);
  });

  test('answering with something else is named', async () => {
    const { origin } = await serve((_request, response) => response.end('<html>'));
    const { hub } = connect(origin);
    await expect(fetchInto(await scratch(), hub)).rejects.toThrow(
      /the answer is not JSON .*; check --endpoint/,
    );
  });
});
