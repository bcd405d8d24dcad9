import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type FetchRequest, type FetchSummary, fetchMileBench } from '../../src/hub/fetch-milebench.js';
import { archiveOf, datasetMembers } from './archives.js';
import { connect, hubAnswer, serve } from './fake-hub.js';

const part1 = 'MileBench_part1.tar.gz';
const part5 = 'MileBench_part5.tar.gz';

async function scratch(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-again-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function fetchFrom(
  files: Readonly<Record<string, Buffer>>,
  root: string,
  request: Partial<FetchRequest> = {},
): Promise<FetchSummary> {
  const { origin } = await serve(hubAnswer({ files }));
  return fetchMileBench({
    hub: connect(origin).hub,
    root,
    revision: 'main',
    datasets: ['TQA'],
    keepArchives: false,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...request,
  });
}

async function imagesOf(root: string, dataset: string): Promise<string[]> {
  return readdir(path.join(root, dataset, 'images'));
}

describe('a dataset', () => {
  test('whose archive changed at the hub is replaced as a whole', async () => {
    const root = await scratch();
    await fetchFrom({ [part5]: await archiveOf(await datasetMembers('TQA', { samples: 5 })) }, root);
    const newer = { [part5]: await archiveOf(await datasetMembers('TQA', { samples: 2 })) };
    const { datasets } = await fetchFrom(newer, root);
    expect(datasets[0]).toMatchObject({ status: 'fetched', files: 3 });
    expect(await imagesOf(root, 'TQA')).toEqual(['0.png', '1.png']);
    expect(await readdir(path.join(root, '.fetch'))).toEqual(['state.json']);
  });

  test('whose new archive is not sound stays as it was', async () => {
    const root = await scratch();
    const members = await datasetMembers('TQA', { samples: 5 });
    await fetchFrom({ [part5]: await archiveOf(members) }, root);
    const link = { header: { name: 'TQA/l', type: 'symlink', linkname: '/' } } as const;
    const unsound = { [part5]: await archiveOf([...members.slice(0, 3), link]) };
    await expect(fetchFrom(unsound, root)).rejects.toThrow(/it is a symlink/);
    expect(await imagesOf(root, 'TQA')).toHaveLength(5);
  });

  test('that a process left half unpacked is fetched again, and its remains go', async () => {
    const root = await scratch();
    const files = { [part5]: await archiveOf(await datasetMembers('TQA')) };
    await fetchFrom(files, root);
    // A process that ended between the state and the folder, while it unpacked the next archive.
    await rm(path.join(root, 'TQA'), { recursive: true });
    for (const left of ['staging/TQA', 'outgoing/TQA']) {
      await mkdir(path.join(root, '.fetch', left), { recursive: true });
      await writeFile(path.join(root, '.fetch', left, 'half'), 'half');
    }
    await fetchFrom(files, root);
    expect(await imagesOf(root, 'TQA')).toEqual(['0.png', '1.png']);
    expect(await readdir(path.join(root, '.fetch'))).toEqual(['state.json']);
  });

  test('that two archives hold is not put together from one of them', async () => {
    const root = await scratch();
    const tqa = await datasetMembers('TQA');
    const files = {
      [part1]: await archiveOf([...(await datasetMembers('GPR1200')), ...tqa]),
      [part5]: await archiveOf(tqa),
    };
    await expect(fetchFrom(files, root, { datasets: ['GPR1200', 'TQA'] })).rejects.toThrow(
      /^MileBench_part5\.tar\.gz: it holds TQA, and so does MileBench_part1\.tar\.gz; give another --revision$/,
    );
  });

  test('that another archive holds than was expected is found when both are read', async () => {
    const root = await scratch();
    const files = {
      [part1]: await archiveOf([
        ...(await datasetMembers('GPR1200')),
        ...(await datasetMembers('TQA', { samples: 3 })),
      ]),
      [part5]: await archiveOf(await datasetMembers('WebQA')),
    };
    const datasets = ['GPR1200', 'TQA', 'WebQA'];
    const summary = await fetchFrom(files, root, { datasets });
    expect(summary.datasets.map(({ name, archive }) => `${name} ${archive}`)).toEqual([
      `GPR1200 ${part1}`,
      `TQA ${part1}`,
      `WebQA ${part5}`,
    ]);
    const again = await fetchFrom(files, root, { datasets });
    expect(again.downloadedBytes).toBe(0);
  });
});

test('datasets of an archive that is sound stay when the next one is refused, and are not fetched again', async () => {
  const root = await scratch();
  const gpr = await archiveOf(await datasetMembers('GPR1200'));
  const datasets = ['GPR1200', 'TQA'];
  const evil = { [part1]: gpr, [part5]: await archiveOf([{ header: { name: '/evil' }, content: 'x' }]) };
  await expect(fetchFrom(evil, root, { datasets })).rejects.toThrow(/its path is absolute/);
  expect(await imagesOf(root, 'GPR1200')).toHaveLength(2);
  const tqa = await archiveOf(await datasetMembers('TQA'));
  const mended = await fetchFrom({ [part1]: gpr, [part5]: tqa }, root, { datasets });
  expect(mended.downloadedBytes).toBe(tqa.length);
  // The refused archive was kept for a look at it; it goes with the next that is sound.
  expect(await readdir(path.join(root, '.fetch'))).toEqual(['state.json']);
});

test('a repository without the archive is named', async () => {
  await expect(fetchFrom({ 'README.md': Buffer.from('x') }, await scratch())).rejects.toThrow(
    /^dataset FreedomIntelligence\/MileBench: there is no file MileBench_part5\.tar\.gz; check --revision/,
  );
});

test('a damaged state is named, with what to remove', async () => {
  const root = await scratch();
  const files = { [part5]: await archiveOf(await datasetMembers('TQA')) };
  await fetchFrom(files, root);
  const state = path.join(root, '.fetch/state.json');
  expect(JSON.parse(await readFile(state, 'utf8'))).toMatchObject({
    ...{ format: 1, repository: 'FreedomIntelligence/MileBench' },
    datasets: { TQA: { archive: part5, files: 3 } },
  });
  await writeFile(state, '{');
  await expect(fetchFrom(files, root)).rejects.toThrow(
    /state\.json: is not JSON .*; remove it and the fetched/,
  );
});
