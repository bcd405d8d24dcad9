import type { Decoding } from '../config/protocols.js';
import { hashJson, sha256 } from '../core/content-hash.js';
import type { EngineKind } from '../engine/open-runtime.js';
import { type Cell, recordVersion } from './record.js';

/** Settings that decide how a prompt is built and its answer generated; kernels round each in their own way. */
export interface GenerationSettings extends EngineKind {
  readonly maxNewTokens: number;
  /** Products of one row may round otherwise than those of several. */
  readonly decoding: Decoding;
  /** Tokens of instruction, context and images; `null` = what leaves room for template and answer. */
  readonly maxContext: number | null;
  /** 1 = all images of a sample in one picture; `null` = the images themselves. */
  readonly combineImages: 1 | null;
}

/** What the records of a cell have in common. */
export interface KeySettings {
  readonly bundleSha256: string;
  readonly cell: Cell;
  /** Id of the cell's policy: its rules with their versions and options. */
  readonly policy: string;
  /** What the policy draws from; null where nothing is random. */
  readonly seed: number | null;
  readonly generation: GenerationSettings;
}

/**
 * Names of a cell's records by content: two records with one key hold the same answer. Whatever can change the answer or
 * its score enters, and nothing else, so that a run continues under another name or on another machine.
 *
 * @returns the key for a sample of a task; see `hashSample`
 */
export function recordKeys(settings: KeySettings): (task: string, sampleSha256: string) => string {
  const common = hashJson({ ...settings, recordVersion });
  return (task, sampleSha256) => sha256(`${common} ${sampleSha256} ${task}`);
}
