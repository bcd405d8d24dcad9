import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConformanceMatrix } from './matrix.js';
import { changesMergedRows, staysFinite, staysInHull } from './properties/merging.js';
import { ignoresOrderOfEvicted } from './properties/permutation.js';
import {
  averagesSharedHeads,
  compressesImagesAlone,
  leavesTextAlone,
  takesOneToken,
} from './properties/prompts.js';
import {
  ignoresCompany,
  ignoresThreads,
  leavesInputAlone,
  readsPromptAlone,
  repeatsItself,
} from './properties/repetition.js';
import {
  fillsBudget,
  growsWithBudget,
  hasRowsOfMatched,
  keepsEachOnce,
  keepsEverything,
  keepsRecentWindow,
  spreadsRows,
} from './properties/rows.js';
import type { Property, Worlds } from './property.js';
import { subjects } from './subjects.js';
import { World } from './world.js';

const properties: readonly Property[] = [
  keepsEverything,
  keepsEachOnce,
  keepsRecentWindow,
  fillsBudget,
  hasRowsOfMatched,
  growsWithBudget,
  spreadsRows,
  takesOneToken,
  leavesTextAlone,
  compressesImagesAlone,
  averagesSharedHeads,
  repeatsItself,
  ignoresThreads,
  ignoresCompany,
  leavesInputAlone,
  readsPromptAlone,
  ignoresOrderOfEvicted,
  staysFinite,
  staysInHull,
  changesMergedRows,
];

const matrix = new ConformanceMatrix();
let worlds: Worlds;

beforeAll(async () => {
  const world = await World.open({ threads: 1 });
  const twoThreads = await World.open({ threads: 2 });
  worlds = { world, twoThreads, together: await world.together() };
});

afterAll(async () => {
  await worlds.world.close();
  await worlds.twoThreads.close();
  if (process.env['LOOKM_MATRIX'] !== '1') return;
  process.stdout.write(`\n${matrix.table(subjects, properties)}\n\n${matrix.checks} checks\n`);
});

describe.each(subjects.map((subject) => [subject.title, subject] as const))('%s', (_title, subject) => {
  const applying = properties.filter((property) => property.applies(subject));
  it.each(applying.map((property) => [property.says, property] as const))('%s', async (_says, property) => {
    const checks = await property.check(subject, worlds);
    expect(checks).toBeGreaterThan(0);
    matrix.passed(subject, property, checks);
  });
});
