import { type BackboneSize, leastBytes, mostBytes } from '../bench/memory-estimate.js';
import { fitMemory, type RunMemory } from '../bench/memory-fit.js';
import type { BenchPlan } from '../bench/plan.js';
import { longestPrompt } from '../bench/prompt-size.js';
import { mostNewTokens } from '../bench/run-manifest.js';
import { MethodSet } from '../compression/method-set.js';
import type { RunConfig } from '../config/run-config.js';
import { UserError } from '../core/errors.js';

/** The memory of a run, from sizes alone. `available` = bytes the machine has, which the run file may lower or raise. */
export function memoryOf(
  { config, plan }: { readonly config: RunConfig; readonly plan: BenchPlan },
  backbone: BackboneSize,
  available: number,
): RunMemory {
  const { decoding } = config.generation;
  const maxNewTokens = mostNewTokens(config);
  const maxContext = config['max-context'];
  const mostPositions = Math.max(1, backbone.text.maxPositions - maxNewTokens);
  const prompt = longestPrompt(plan, { tokensPerImage: backbone.tokensPerImage, maxContext, mostPositions });
  const methods = new MethodSet(config.compositions);
  const request = { backbone, cells: plan.cells, methods, prompt, maxNewTokens, decoding };
  return fitMemory(request, config.memory ?? available);
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** What a run needs and where its caches go, in two sentences. */
export function describeMemory({ prompt, estimate, limit, fit }: RunMemory): string {
  const { weights, layer, working, caches } = estimate;
  const parts = [
    `weights ${gibibytes(weights)}`,
    `one full layer ${gibibytes(layer)}`,
    `all caches ${gibibytes(caches)}`,
    `working memory ${gibibytes(working)}`,
  ];
  const needed = `${gibibytes(mostBytes(estimate))} for a prompt of ${prompt.text + prompt.images} tokens (${parts.join(', ')})`;
  const verdict = {
    whole: '',
    'in parts': ` Caches beyond ${gibibytes(fit.kind === 'in parts' ? fit.cacheBytes : 0)} wait on the disk or take another prefill.`,
    'too large': ' Does not fit.',
  }[fit.kind];
  return `Memory: about ${needed}; ${gibibytes(limit)} may be taken.${verdict}`;
}

/** Throws `UserError`, with what would fit, when not even one cell at a time does. */
export function requireMemory({ prompt, estimate, limit, fit }: RunMemory, where: string): void {
  if (fit.kind !== 'too large') return;
  const needed = gibibytes(leastBytes(estimate));
  const what = `a prompt of ${prompt.text + prompt.images} tokens needs ${needed} (weights ${gibibytes(estimate.weights)}, largest cache ${gibibytes(estimate.largestCache)}), and ${gibibytes(limit)} may be taken`;
  const [first, ...others] = fit.proposals;
  const fix =
    first === undefined
      ? 'use a machine with more memory, or a smaller backbone'
      : [first, ...others].join(', or ');
  throw new UserError({ what, where, fix });
}
