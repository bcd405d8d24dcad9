/** What a projector is fed: the features of a tower. */
export interface TowerFeatures {
  /** [1, patches, from] */
  readonly features: string;
  readonly patches: number;
}

/** The values of a projector in a graph. */
export interface ProjectorValues {
  /** What stands in the prompt for an image, [1, tokens, to]. */
  readonly features: string;
  /** Values on the way there, [1, rows, to], by the name they have outside the graph. */
  readonly stages: readonly { readonly name: string; readonly value: string; readonly rows: number }[];
}
