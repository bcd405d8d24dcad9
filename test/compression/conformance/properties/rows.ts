import { expect } from 'vitest';
import type { LayerInput } from '../../../../src/compression/layer-input.js';
import { rowBudget, totalRows } from '../../../../src/compression/row-budget.js';
import { headRows, keptOf } from '../../../support/compress.js';
import { growingBudgets, wholeBudgets } from '../budgets.js';
import { always, type Property, shown } from '../property.js';
import { dropsImages, isUniform, type Subject, stagesOf } from '../subjects.js';
import { lengthsOf, type Run, type World } from '../world.js';

const everything = (length: number): number[] => Array.from({ length }, (_, position) => position);

/** Runs whose budget covers the prompt in the layer that is looked at. */
function wholeRuns(subject: Subject, { scenarios }: World): Run[] {
  return scenarios.flatMap((scenario) =>
    scenario.layers.flatMap((layer) =>
      lengthsOf(layer).flatMap((length) =>
        wholeBudgets(length)
          .filter(({ recent }) => isUniform(subject) || recent > length)
          .map((budget) => ({ scenario, layer, length, budget })),
      ),
    ),
  );
}

export const keepsEverything: Property = {
  name: 'whole budget',
  says: 'keeps every row, unchanged, under a budget of 100 %',
  applies: always,
  async check(subject, { world }) {
    const runs = wholeRuns(subject, world);
    for (const run of runs) {
      const { layer, length } = run;
      const { cache } = await world.compress(subject, run);
      expect(cache.rows, shown(run)).toBe(length);
      for (let head = 0; head < layer.heads; head++) {
        const kept = keptOf(cache, head);
        expect(
          [...kept].sort((a, b) => a - b),
          shown(run),
        ).toEqual(everything(length));
        for (const of of ['keys', 'values'] as const) {
          const at = { head, headDim: layer.headDim };
          const source = headRows(layer[of], { ...at, rows: length, capacity: layer.capacity });
          const rows = headRows(cache[of], { ...at, rows: length, capacity: cache.capacity });
          expect(rows).toEqual(kept.map((position) => source[position]));
        }
      }
    }
    return runs.length;
  },
};

export const keepsEachOnce: Property = {
  name: 'unique rows',
  says: 'keeps no row twice and none that is not in the prompt, the same number in every head',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs();
    for (const run of runs) {
      const { cache } = await world.alone(subject, run);
      const { heads, headDim } = run.layer;
      expect(cache.kept.length, shown(run)).toBe(heads * cache.rows);
      expect(cache.keys.length).toBe(heads * cache.capacity * headDim);
      expect(cache.values.length).toBe(heads * cache.capacity * headDim);
      for (let head = 0; head < heads; head++) {
        const kept = keptOf(cache, head);
        const inRange = kept.filter((position) => position >= 0 && position < run.length);
        expect(new Set(inRange).size, shown(run)).toBe(cache.rows);
      }
    }
    return runs.length;
  },
};

/** Recent positions that a subject's own window has under a budget. */
async function windowOf(subject: Subject, run: Run, world: World): Promise<number[]> {
  const { layer, length } = run;
  const { nominal, cache, outcome } = await world.alone(subject, run);
  const stages = stagesOf(subject);
  if (stages === null || outcome.kind === 'unchanged') return everything(length);
  const recent = Math.min(nominal.recent, cache.rows);
  const budget = stages.matches === null ? nominal : { recent, important: cache.rows - recent };
  const window = stages.composition.select.rule.window(budget).recent;
  const positions = everything(length).slice(Math.max(0, length - window));
  return dropsImages(subject) ? positions.filter((position) => layer.modality[position] === 0) : positions;
}

export const keepsRecentWindow: Property = {
  name: 'recent window',
  says: 'keeps the recent window, of which a method without images keeps the text',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs();
    let windows = 0;
    for (const run of runs) {
      const window = await windowOf(subject, run, world);
      const { cache } = await world.alone(subject, run);
      for (let head = 0; head < run.layer.heads; head++) {
        const kept = new Set(keptOf(cache, head));
        expect(
          window.filter((position) => !kept.has(position)),
          shown(run),
        ).toEqual([]);
      }
      if (window.length > 0) windows++;
    }
    return windows;
  },
};

export const fillsBudget: Property = {
  name: 'rows of budget',
  says: 'keeps exactly the rows of the budget, fewer only where images are dropped or the prompt is shorter',
  applies: ({ semantics }) => semantics === 'paper',
  async check(subject, { world }) {
    const runs = world.runs();
    for (const run of runs) {
      const { nominal, cache } = await world.alone(subject, run);
      const allowed = Math.min(run.length, totalRows(nominal));
      if (dropsImages(subject)) expect(cache.rows, shown(run)).toBeLessThanOrEqual(allowed);
      else expect(cache.rows, shown(run)).toBe(allowed);
    }
    return runs.length;
  },
};

export const hasRowsOfMatched: Property = {
  name: 'matched rows',
  says: 'keeps as many rows as the method it is matched to',
  applies: (subject) => stagesOf(subject)?.matches != null,
  async check(subject, { world }) {
    const target = { ...subject, title: `target of ${subject.title}`, policy: stagesOf(subject)!.matches! };
    const runs = world.runs();
    for (const run of runs) {
      const { cache } = await world.alone(subject, run);
      expect(cache.rows, shown(run)).toBe((await world.alone(target, run)).cache.rows);
    }
    return runs.length;
  },
};

export const growsWithBudget: Property = {
  name: 'monotone',
  says: 'keeps no fewer rows under a larger budget',
  applies: always,
  async check(subject, { world }) {
    let compared = 0;
    for (const scenario of world.scenarios) {
      const layer = scenario.layers[1]!;
      for (const length of lengthsOf(layer)) {
        let rows = 0;
        for (const budget of growingBudgets) {
          // No row at all is another matter: the release keeps the full cache then.
          if (totalRows(rowBudget(budget, { length, positionBytes: 1 })) === 0) continue;
          const run = { scenario, layer, length, budget };
          const { cache } = await world.alone(subject, run);
          expect(cache.rows, shown(run)).toBeGreaterThanOrEqual(rows);
          rows = cache.rows;
          compared++;
        }
      }
    }
    return compared;
  },
};

/** Rows of every layer of a prompt. */
async function rowsByLayer(subject: Subject, run: Run, world: World): Promise<number[]> {
  const rows: number[] = [];
  for (const layer of run.scenario.layers) {
    rows.push((await world.alone(subject, { ...run, layer })).cache.rows);
  }
  return rows;
}

export const spreadsRows: Property = {
  name: 'layers',
  says: 'keeps the same rows in all layers, or by weights no more in all than the same in each would be',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs();
    let differing = 0;
    for (const run of runs) {
      const rows = await rowsByLayer(subject, run, world);
      if (isUniform(subject)) {
        expect(rows, shown(run)).toEqual(rows.map(() => rows[0]));
        continue;
      }
      const uniform = totalRows(rowBudget(run.budget, { ...run, positionBytes: positionBytes(run.layer) }));
      const left = rows.every((one) => one === run.length);
      const sum = rows.reduce((total, one) => total + one, 0);
      if (!left) expect(sum, shown(run)).toBeLessThanOrEqual(rows.length * uniform);
      if (new Set(rows).size > 1) differing++;
    }
    if (!isUniform(subject)) expect(differing).toBeGreaterThan(0);
    return runs.length;
  },
};

function positionBytes({ layers, heads, headDim }: LayerInput): number {
  return 2 * layers * heads * headDim * 4;
}
