import type { ImageFeatures } from '../bench/image-features.js';
import type { ImageReader } from '../bench/image-reader.js';
import type { Backbone } from '../bench/open-backbone.js';
import type { Cell } from '../bench/record.js';
import type { GenerationSettings } from '../bench/record-key.js';
import type { MethodSet } from '../compression/method-set.js';
import type { LatencyProtocol } from '../config/protocols.js';
import type { LatencyMachine } from './latency-machine.js';

/** What all samples of a latency run have in common. */
export interface LatencySettings {
  readonly cells: readonly Cell[];
  readonly methods: MethodSet;
  readonly generation: GenerationSettings;
  readonly protocol: LatencyProtocol;
  /** What random methods draw from, together with the sample. */
  readonly seed: number;
  /** Bytes that the caches of all cells may take together. */
  readonly cacheBytes: number;
  /** Where caches wait until they are loaded. */
  readonly spillDirectory: string;
}

/** Everything that measures, opened once a run. Close it when done. */
export interface LatencySetup {
  readonly backbone: Backbone;
  readonly images: ImageReader;
  readonly features: ImageFeatures;
  readonly machine: LatencyMachine;
  close(): Promise<void>;
}
