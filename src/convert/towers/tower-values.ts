/** The values of a tower in a graph. */
export interface TowerValues {
  /** Input of encoder layer 0, [1, 1 + T, C]. */
  readonly embeddings: string;
  /** Selected hidden state without the class token, [1, T, C]. */
  readonly features: string;
}
