import type { CacheRows, CompressedLayer } from '../../../src/compression/compressed-layer.js';
import { type CompressionTools, LayerCompressor } from '../../../src/compression/layer-compressor.js';
import type { LayerInput } from '../../../src/compression/layer-input.js';
import { policyNeeds } from '../../../src/compression/policy.js';
import { type StatisticNeeds, unionOfNeeds } from '../../../src/core/attention-statistics.js';
import type { Budget } from '../../../src/core/budget.js';
import { seededRandom, shuffled } from '../../../src/core/seeded-random.js';
import { referenceChannels } from '../../support/channel-arithmetic.js';
import { unquantised } from '../../support/compress.js';
import { Kernels } from '../../support/kernels.js';
import { PoisonedPool } from '../../support/poisoned-pool.js';
import { prefillLayer } from '../../support/prefill-layer.js';
import type { RandomPrompt } from '../../support/random-prompt.js';
import { budgetsFor, growingBudgets, wholeBudgets } from './budgets.js';
import { type ScenarioName, scenarioPrompts } from './scenarios.js';
import { layerCount, type Subject, subjects } from './subjects.js';

/** A prompt whose layers are prefilled with everything that any subject needs. */
export interface Scenario {
  readonly name: ScenarioName;
  readonly layers: readonly LayerInput[];
}

/** One thing to do with a layer: under a budget, with all of the prompt or without its last token. */
export interface Run {
  readonly scenario: Scenario;
  readonly layer: LayerInput;
  readonly length: number;
  readonly budget: Budget;
}

/** The layer most properties look at. */
const middleLayer = 1;

/** Rows of the buffers that no prompt fills. */
const slack = 2;

/** Every scenario on real kernels with a number of threads, and what subjects make of it. */
export class World {
  readonly scenarios: readonly Scenario[];
  readonly tools: CompressionTools;
  readonly kernels: Kernels;
  readonly #alone = new Map<string, Promise<CompressedLayer<CacheRows>>>();

  private constructor(kernels: Kernels, scenarios: readonly Scenario[], tools: CompressionTools) {
    this.kernels = kernels;
    this.scenarios = scenarios;
    this.tools = tools;
  }

  static async open(options: { threads: number }): Promise<World> {
    const kernels = new Kernels(options);
    const scenarios: Scenario[] = [];
    for (const { name, chunkRows, prompts } of scenarioPrompts()) {
      const layers: LayerInput[] = [];
      for (const [layer, prompt] of prompts.entries()) {
        const at = { layer, layers: layerCount, seed: 77, chunkRows, slack };
        layers.push(await prefillLayer(kernels, prompt, { ...at, needs: allNeeds(prompt, layer) }));
      }
      scenarios.push({ name, layers });
    }
    const tools: CompressionTools = {
      channels: referenceChannels,
      nearestKeys: async (search) => (await kernels.nearestKeys(search.headDim))(search),
      capacityFor: (rows) => rows + 1,
      pool: new PoisonedPool(),
    };
    return new World(kernels, scenarios, tools);
  }

  /** Both first-token protocols under every budget, in all scenarios or the ones named. */
  runs(names?: readonly ScenarioName[]): Run[] {
    return this.scenarios
      .filter(({ name }) => names?.includes(name) ?? true)
      .flatMap((scenario) => {
        const layer = scenario.layers[middleLayer]!;
        return lengthsOf(layer).flatMap((length) =>
          budgetsFor({ ...layer, kvHeads: layer.heads }).map((budget) => ({
            scenario,
            layer,
            length,
            budget,
          })),
        );
      });
  }

  /** What a subject makes of a layer when nothing else is done to it; remembered. */
  alone(subject: Subject, run: Run): Promise<CompressedLayer<CacheRows>> {
    const { scenario, layer, length, budget } = run;
    const key = `${subject.title} ${scenario.name} ${layer.layer} ${length} ${JSON.stringify(budget)}`;
    const known = this.#alone.get(key) ?? this.compress(subject, run);
    this.#alone.set(key, known);
    return known;
  }

  /** The same computed anew, perhaps on another layer. */
  async compress({ policy }: Subject, { layer, length, budget }: Run): Promise<CompressedLayer<CacheRows>> {
    const compressor = new LayerCompressor(layer, this.tools);
    const compressed = unquantised(await compressor.compress(policy, budget, length));
    compressor.close();
    return compressed;
  }

  /** What each subject makes of every run when all of them share the compressor of a layer, in a mixed order. */
  async together(): Promise<ReadonlyMap<Subject, ReadonlyMap<Run, CompressedLayer<CacheRows>>>> {
    const results = new Map(subjects.map((subject) => [subject, new Map<Run, CompressedLayer<CacheRows>>()]));
    for (const { name } of this.scenarios) {
      const runs = this.runs([name]);
      const compressor = new LayerCompressor(runs[0]!.layer, this.tools);
      const work = runs.flatMap((run) => subjects.map((subject) => ({ run, subject })));
      for (const { run, subject } of shuffled(work, seededRandom(5))) {
        const compressed = await compressor.compress(subject.policy, run.budget, run.length);
        results.get(subject)!.set(run, unquantised(compressed));
      }
      compressor.close();
    }
    return results;
  }

  close(): Promise<void> {
    return this.kernels.close();
  }
}

/** Prompt rows that compression sees under the two first-token protocols. */
export function lengthsOf({ length }: { readonly length: number }): number[] {
  return [length, length - 1];
}

/** Everything that any subject needs of a layer under any budget of the suite. */
export function allNeeds(prompt: RandomPrompt, layer: number): StatisticNeeds {
  const { kvHeads: heads, headDim } = prompt;
  const needs = lengthsOf(prompt).flatMap((length) =>
    [...budgetsFor(prompt), ...growingBudgets, ...wholeBudgets(length)].flatMap((budget) =>
      subjects.map(({ policy }) =>
        policyNeeds(policy, budget, { layer, layers: layerCount, heads, headDim, length }),
      ),
    ),
  );
  return unionOfNeeds(needs);
}
