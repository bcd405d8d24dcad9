import type { Method } from '../method.js';
import { paperFrame, releaseFrame } from '../policy.js';

/** Positions alone, no content (arXiv 2309.17453). */
export const streamingLlm = {
  name: 'streaming-llm',
  title: 'StreamingLLM',
  summary: 'keeps the first four tokens and the most recent ones',
  kind: 'control',
  released: null,
  definitions: {
    release: { composition: { score: 'sinks' }, frame: releaseFrame },
    paper: { composition: { score: 'sinks' }, frame: paperFrame },
  },
} as const satisfies Method;
