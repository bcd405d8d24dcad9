/** The steps behind a result and the milliseconds that each took. */
export type Steps = Map<string, number>;

/** Milliseconds of all steps, each once. */
export function totalTime(steps: Steps): number {
  let total = 0;
  for (const milliseconds of steps.values()) total += milliseconds;
  return total;
}

/**
 * Computes steps once and remembers what they gave and how long they took. A step's inputs have to be computed before
 * it, so that times do not contain each other. One step at a time.
 */
export class StepMemo {
  readonly #known = new Map<string, { readonly value: unknown; readonly milliseconds: number }>();

  /** The value of a step; `name` has to name step and inputs. Adds its time to `steps`, also when it was known. */
  once<T>(name: string, steps: Steps, compute: () => T): T {
    const known = this.#known.get(name);
    if (known !== undefined) {
      steps.set(name, known.milliseconds);
      return known.value as T;
    }
    const begin = performance.now();
    return this.#remember(name, steps, compute(), begin);
  }

  /** As `once`, for steps that wait for others. */
  async onceAsync<T>(name: string, steps: Steps, compute: () => Promise<T>): Promise<T> {
    if (this.#known.has(name)) return this.once(name, steps, () => undefined as T);
    const begin = performance.now();
    return this.#remember(name, steps, await compute(), begin);
  }

  #remember<T>(name: string, steps: Steps, value: T, begin: number): T {
    const milliseconds = performance.now() - begin;
    this.#known.set(name, { value, milliseconds });
    steps.set(name, milliseconds);
    return value;
  }
}
