/** What is being done on a sample. */
export type LatencyStage = 'question and images' | 'prefill' | 'resident memory' | 'decoding in turns';

/** Milliseconds of a sample, by what they went into. */
export interface LatencyTimes {
  readonly input: number;
  readonly prefill: number;
  readonly compress: number;
  /** What of compression was inside ONNX Runtime. */
  readonly runtimeInCompression: number;
  readonly decode: number;
}
