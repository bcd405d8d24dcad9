import { noNeeds } from '../core/attention-statistics.js';
import type { LanguageModel } from '../engine/language-model.js';
import { prefill } from '../engine/prefill.js';

/** The engine's prefill of a prompt of `length` tokens with column sums. */
export async function runPrompt(model: LanguageModel, length: number): Promise<void> {
  for await (const _ of promptByLayers(model, length));
}

/** The same, with a stop after every layer; the time between two `next` is that of a layer. */
export async function* promptByLayers(model: LanguageModel, length: number): AsyncGenerator<void, void> {
  const { hiddenSize, layers } = model.config;
  const embeddings = new Float32Array(length * hiddenSize);
  for (let i = 0; i < embeddings.length; i++) embeddings[i] = ((i * 7919) % 1009) / 1009 - 0.5;
  let stop = gate();
  let go = gate();
  const finished = prefill(model, embeddings, {
    needs: () => noNeeds,
    onLayer: async ({ statistics }) => {
      statistics.columnSums(length);
      stop.open();
      await go.opened;
    },
  });
  for (let layer = 0; layer < layers; layer++) {
    await Promise.race([stop.opened, finished]);
    yield;
    stop = gate();
    const next = go;
    go = gate();
    next.open();
  }
  await finished;
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
