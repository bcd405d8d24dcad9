/** What a metric may look at. */
export interface ScoreInput {
  /** Some official rules depend on the dataset's name. */
  readonly datasetName: string;
  /** What the model wrote. */
  readonly answer: string;
  /** The reference answer. */
  readonly response: string;
  /** `null` for open questions. */
  readonly choices: readonly string[] | null;
  /** The prompt text; none of the official metrics reads it. */
  readonly question?: string;
}

export interface AnswerScore {
  /** In [0, 1]. */
  readonly score: number;
  /** The label read out of the answer, where the metric extracts one. */
  readonly extracted: string | null;
}

/** A pure function; throws a `UserError` when the annotation cannot be scored by it. */
export type Metric = (input: ScoreInput) => AnswerScore;
