import { hashJson } from '../core/content-hash.js';
import { type Cell, recordVersion } from './record.js';

/** Settings that decide how an answer is generated. */
export interface GenerationSettings {
  readonly maxNewTokens: number;
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
