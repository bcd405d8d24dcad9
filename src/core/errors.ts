/** What went wrong, where, and what the reader can do about it. */
export interface Problem {
  /** What is wrong, in one clause. */
  readonly what: string;
  /** File, field or sample the problem belongs to. */
  readonly where?: string;
  /** What the user should do next. */
  readonly fix?: string;
}

/** One line: `where: what; fix`. */
export function describeProblem({ what, where, fix }: Problem): string {
  const located = where === undefined ? what : `${where}: ${what}`;
  return fix === undefined ? located : `${located}; ${fix}`;
}

/** Root of every error `lookm` throws on purpose. */
export abstract class LookmError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(describeProblem(problem), options);
    this.name = new.target.name;
    this.problem = problem;
  }
}

/** The input, the configuration or the machine is at fault; the user can mend it. Exit code 2. */
export class UserError extends LookmError {}

/** An invariant of `lookm` itself does not hold; please report it. Exit code 70. */
export class BugError extends LookmError {}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Throws a `BugError` unless `condition` holds. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new BugError({ what, fix: 'this is a bug in lookm, please report it' });
}
