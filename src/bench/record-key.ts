import { hashJson } from '../core/content-hash.js';
import { type Cell, recordVersion } from './record.js';

/** Settings that decide how a prompt is built and its answer generated. */
export interface GenerationSettings {
  readonly maxNewTokens: number;
  /** Tokens of instruction, context and images; `null` = what leaves room for template and answer. */
  readonly maxContext: number | null;
  /** 1 = all images of a sample in one picture; `null` = the images themselves. */
  readonly combineImages: 1 | null;
}

/**
 * Name of a record by content: two records with one key hold the same answer. Whatever can change the answer or its
 * score enters, and nothing else, so that a run continues under another name or on another machine.
 */
export function recordKey(parts: {
  readonly bundleSha256: string;
  readonly task: string;
  /** See `hashSample`. */
  readonly sampleSha256: string;
  readonly cell: Cell;
  /** `version` of the cell's method. */
  readonly methodVersion: number;
  readonly generation: GenerationSettings;
}): string {
  return hashJson({ ...parts, recordVersion });
}
