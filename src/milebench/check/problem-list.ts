import { type ProblemKind, problemKinds, type TreeProblem } from '../problem-kinds.js';

/** MileBench has 6,440 samples with some 100,000 images: more lines than this only come from files made to fill the memory. */
const mostListed = 200_000;

/** What a check knows of a fault it has found. */
export interface FoundProblem {
  readonly kind: ProblemKind;
  readonly what: string;
  readonly sampleId?: string | undefined;
  readonly field?: string | undefined;
}

/** Takes the faults of one file. */
export type Report = (problem: FoundProblem) => void;

export interface ProblemCounts {
  readonly errors: number;
  readonly warnings: number;
}

/** Collects the faults of a tree in the order they are reported. */
export class ProblemList {
  readonly #problems: TreeProblem[] = [];
  readonly #counts = new Map<string | null, { errors: number; warnings: number }>();
  #unlisted = 0;

  /** A report for one file; `file` is relative to the root. */
  of({ dataset, file }: { readonly dataset: string | null; readonly file: string }): Report {
    return ({ kind, what, sampleId = null, field = null }) => {
      const { severity, fix } = problemKinds[kind];
      const counts = this.#counts.get(dataset) ?? { errors: 0, warnings: 0 };
      if (severity === 'error') counts.errors++;
      else counts.warnings++;
      this.#counts.set(dataset, counts);
      if (this.#problems.length === mostListed) this.#unlisted++;
      else this.#problems.push({ kind, severity, dataset, file, sampleId, field, what, fix });
    };
  }

  get problems(): readonly TreeProblem[] {
    return this.#problems;
  }

  /** How many faults were counted but not kept. */
  get unlisted(): number {
    return this.#unlisted;
  }

  /** Faults of the whole tree. */
  total(): ProblemCounts {
    const all = [...this.#counts.values()];
    const sum = (count: (counts: ProblemCounts) => number): number => all.reduce((a, b) => a + count(b), 0);
    return { errors: sum(({ errors }) => errors), warnings: sum(({ warnings }) => warnings) };
  }

  /** Faults of a dataset, or of the root itself. */
  counts(dataset: string | null): ProblemCounts {
    return this.#counts.get(dataset) ?? { errors: 0, warnings: 0 };
  }
}
