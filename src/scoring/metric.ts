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
  /** The label read out of the answer; `null` where none was found or the metric extracts none. */
  readonly extracted: string | null;
  /** What the official script stops with at this answer; the score is 0 then. Never under `fixed`. */
  readonly aborts?: string;
}

/** A pure function; throws a `UserError` when the annotation cannot be scored by it. */
export type ScoreAnswer = (input: ScoreInput) => AnswerScore;

/** One way of scoring, under both semantics. */
export interface Metric {
  /** `binary`: every score is 0 or 1, so their mean is a proportion. `graded`: anything between. */
  readonly scale: 'binary' | 'graded';
  /** As MileBench's `evaluate.py` scores, mistakes included. */
  readonly release: ScoreAnswer;
  /** With the documented mistakes repaired, and nothing else changed. */
  readonly fixed: ScoreAnswer;
}
