import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { quantityLevels } from '../../src/milebench/quantity-level.js';
import { allocateProportionally } from '../../src/milebench/subset/allocate.js';
import { type Candidate, chooseSubset } from '../../src/milebench/subset/choose-subset.js';

const sizesAndTotal = fc
  .array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 30 })
  .chain((sizes) => fc.tuple(fc.constant(sizes), fc.nat({ max: sizes.reduce((a, b) => a + b, 0) })));

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe('a proportional allocation', () => {
  test('gives away the total, nobody more than there is, everybody one where the total suffices', () => {
    fc.assert(
      fc.property(sizesAndTotal, ([sizes, total]) => {
        const shares = allocateProportionally(sizes, total);
        expect(sum(shares)).toBe(total);
        const suffices = total >= sizes.filter((size) => size > 0).length;
        for (const [index, share] of shares.entries()) {
          expect(share).toBeLessThanOrEqual(sizes[index]!);
          expect(share).toBeGreaterThanOrEqual(suffices ? Math.min(1, sizes[index]!) : 0);
        }
      }),
    );
  });

  test('is within one of the exact share where every exact share is at least one', () => {
    fc.assert(
      fc.property(sizesAndTotal, ([sizes, total]) => {
        const exact = sizes.map((size) => (size * total) / Math.max(1, sum(sizes)));
        fc.pre(exact.every((share) => share >= 1));
        for (const [index, share] of allocateProportionally(sizes, total).entries())
          expect(Math.abs(share - exact[index]!)).toBeLessThan(1);
      }),
    );
  });

  test('never gives a larger group less than a smaller one', () => {
    fc.assert(
      fc.property(sizesAndTotal, ([sizes, total]) => {
        const shares = allocateProportionally(sizes, total);
        const order = sizes.map((_, index) => index).sort((a, b) => sizes[a]! - sizes[b]!);
        // Equal groups may differ by the one that could not be shared.
        for (const [place, index] of order.slice(1).entries()) {
          const smaller = order[place]!;
          if (sizes[smaller]! < sizes[index]!) expect(shares[index]).toBeGreaterThanOrEqual(shares[smaller]!);
        }
      }),
    );
  });

  test.each([
    [[50, 30, 20], 10, [5, 3, 2]],
    [[1, 1, 998], 10, [1, 1, 8]],
    [[0, 5], 3, [0, 3]],
    [[5, 5, 5], 2, [1, 1, 0]],
    [[3, 3], 3, [2, 1]],
    [[7, 2], 9, [7, 2]],
    [[4], 0, [0]],
  ])('of %j with total %i is %j', (sizes, total, expected) => {
    expect(allocateProportionally(sizes, total)).toEqual(expected);
  });
});

const datasets = [
  { dataset: 'ActionLocalization', column: 'T-1' },
  { dataset: 'ActionSequence', column: 'T-1' },
  { dataset: 'GPR1200', column: 'IR' },
  { dataset: 'Mine', column: 'my column' },
] as const;

/** Samples of up to four datasets, each with ids of its own. */
const candidateList = fc
  .array(fc.record({ of: fc.constantFrom(...datasets), quantityLevel: fc.constantFrom(...quantityLevels) }), {
    minLength: 1,
    maxLength: 120,
  })
  .map((drawn): Candidate[] =>
    drawn.map(({ of, quantityLevel }, index) => ({ ...of, sampleId: String(index + 1), quantityLevel })),
  );
const seeds = fc.nat({ max: 1000 });
const keys = (chosen: readonly Candidate[]): string[] =>
  chosen.map(({ dataset, sampleId }) => `${dataset} ${sampleId}`);
const total = (samples: number) => ({ kind: 'total', samples }) as const;
const perDataset = (samples: number) => ({ kind: 'per-dataset', samples }) as const;

const partOf = candidateList.chain((candidates) =>
  fc.tuple(fc.constant(candidates), fc.integer({ min: 1, max: candidates.length })),
);

describe('a subset', () => {
  test('is the same whatever the order of the samples, and keeps it', () => {
    fc.assert(
      fc.property(
        partOf,
        fc.nat(),
        seeds,
        fc.boolean(),
        fc.boolean(),
        ([all, samples], order, seed, stratify, each) => {
          const amount = each ? perDataset(samples) : total(samples);
          const chosen = chooseSubset(all, { amount, seed, stratify });
          const turned = [...all.slice(order % all.length), ...all.slice(0, order % all.length)].reverse();
          const again = chooseSubset(turned, { amount, seed, stratify });
          expect(keys(again).sort()).toEqual(keys(chosen).sort());
          expect(keys(chosen)).toEqual(keys(all).filter((key) => keys(chosen).includes(key)));
        },
      ),
    );
  });

  test('has exactly the size asked for, without repetition', () => {
    fc.assert(
      fc.property(partOf, seeds, fc.boolean(), ([all, samples], seed, stratify) => {
        const chosen = chooseSubset(all, { amount: total(samples), seed, stratify });
        expect(new Set(keys(chosen)).size).toBe(samples);
        const each = chooseSubset(all, { amount: perDataset(samples), seed, stratify });
        for (const { dataset } of datasets) {
          const [there, taken] = [all, each].map(
            (list) => list.filter((one) => one.dataset === dataset).length,
          );
          expect(taken).toBe(Math.min(samples, there!));
        }
      }),
    );
  });

  test('is part of every larger one of the same seed when not stratified', () => {
    fc.assert(
      fc.property(partOf, fc.nat(), seeds, fc.boolean(), ([all, larger], drawn, seed, each) => {
        const smaller = 1 + (drawn % larger);
        const [few, many] = [smaller, larger].map((samples) => {
          const amount = each ? perDataset(samples) : total(samples);
          return new Set(keys(chooseSubset(all, { amount, seed, stratify: false })));
        });
        for (const key of few!) expect(many!.has(key)).toBe(true);
      }),
    );
  });

  test('keeps the proportions of columns and levels when stratified', () => {
    fc.assert(
      fc.property(partOf, seeds, ([all, samples], seed) => {
        const chosen = chooseSubset(all, { amount: total(samples), seed, stratify: true });
        const strata = new Set(all.map(({ column, quantityLevel }) => `${column} ${quantityLevel}`));
        const countIn = (list: readonly Candidate[], stratum: string): number =>
          list.filter(({ column, quantityLevel }) => `${column} ${quantityLevel}` === stratum).length;
        for (const stratum of strata) {
          const exact = (countIn(all, stratum) * samples) / all.length;
          const taken = countIn(chosen, stratum);
          if (samples >= strata.size) expect(taken).toBeGreaterThanOrEqual(1);
          // Strata of less than one sample take theirs from the others, at most one each.
          expect(Math.abs(taken - exact)).toBeLessThan(1 + strata.size);
          if (exact >= 1) expect(taken).toBeLessThan(exact + 1);
        }
      }),
    );
  });

  test('per dataset and stratified keeps the levels of each dataset', () => {
    const all = quantityLevels.flatMap((quantityLevel, level) =>
      Array.from({ length: [60, 30, 10][level]! }, (_, index) => ({
        ...datasets[0],
        sampleId: `${level}${String(index).padStart(3, '0')}`,
        quantityLevel,
      })),
    );
    const chosen = chooseSubset(all, { amount: perDataset(10), seed: 3, stratify: true });
    const counts = quantityLevels.map(
      (level) => chosen.filter(({ quantityLevel }) => quantityLevel === level).length,
    );
    expect(counts).toEqual([6, 3, 1]);
  });

  test('changes with the seed', () => {
    const all = Array.from({ length: 100 }, (_, index) => ({
      ...{ ...datasets[0], sampleId: String(index), quantityLevel: 'Few' as const },
    }));
    const [one, other] = [0, 1].map((seed) =>
      keys(chooseSubset(all, { amount: total(10), seed, stratify: false })),
    );
    expect(one).not.toEqual(other);
  });

  test('is these samples: a change of the rule changes its version too', () => {
    const all = Array.from({ length: 20 }, (_, index) => ({
      ...{ ...datasets[index % 2]!, sampleId: String(index), quantityLevel: 'Few' as const },
    }));
    const chosen = chooseSubset(all, { amount: total(5), seed: 0, stratify: false });
    expect(keys(chosen)).toMatchInlineSnapshot(`
      [
        "ActionSequence 1",
        "ActionLocalization 8",
        "ActionSequence 9",
        "ActionSequence 11",
        "ActionSequence 13",
      ]
    `);
  });

  test('larger than what is there is refused', () => {
    const all = [{ ...datasets[0], sampleId: '1', quantityLevel: 'Few' as const }];
    const choose = () => chooseSubset(all, { amount: total(2), seed: 0, stratify: false });
    expect(choose).toThrow(UserError);
    expect(choose).toThrow('--samples: asks for 2 samples, and 1 can be used; ask for fewer');
  });
});
