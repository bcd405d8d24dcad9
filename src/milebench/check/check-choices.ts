import { pythonStr } from '../../core/python-format.js';
import { splitWords } from '../../core/python-text.js';
import type { PythonValue } from '../../core/python-value.js';
import { describeJson } from './describe-json.js';
import type { Report } from './problem-list.js';

/** Brings answers and choices to the form the official scorer compares. */
export type NormaliseAnswer = (text: string) => string;

/** Prompts letter the choices A to Z and go on with `[`; GPR1200's are not lettered. */
const letters = 26;
const unletteredDataset = 'GPR1200';

export const choiceField = 'task_instance.choice_list';

/** Reports what is wrong with the choices themselves. */
export function checkChoices(
  choices: readonly PythonValue[],
  {
    dataset,
    normaliseAnswer,
    report,
  }: { readonly dataset: string; readonly normaliseAnswer: NormaliseAnswer; readonly report: Report },
): void {
  if (choices.length === 0)
    report({ kind: 'choice-list', field: choiceField, what: 'there is no choice in the list' });
  const first = new Map<string, number>();
  for (const [index, choice] of choices.entries()) {
    const field = `${choiceField}.${index}`;
    if (typeof choice !== 'string') {
      const what = `expected a text, found ${describeJson(choice)}, at which the official scorer stops`;
      report({ kind: 'choice-list', field, what });
    }
    const normalised = normaliseAnswer(pythonStr(choice));
    const earlier = first.get(normalised);
    if (earlier === undefined) first.set(normalised, index);
    else report({ kind: 'choices-equal', field, what: `is choice ${earlier} again once normalised` });
  }
  if (choices.length > letters && dataset !== unletteredDataset) {
    const what = `there are ${choices.length} choices, and those past ${letters} are lettered [, \\, ] …`;
    report({ kind: 'choices-past-z', field: choiceField, what });
  }
}

/** Reports a response that the scorer of multiple-choice questions does not find among the choices. */
export function checkChosenResponse(
  response: PythonValue,
  {
    choices,
    normaliseAnswer,
    report,
  }: {
    readonly choices: readonly PythonValue[];
    readonly normaliseAnswer: NormaliseAnswer;
    readonly report: Report;
  },
): void {
  const wanted = normaliseAnswer(pythonStr(response));
  if (choices.some((choice) => normaliseAnswer(pythonStr(choice)) === wanted)) return;
  const what = `${describeJson(response)} is none of the ${choices.length} choices`;
  report({ kind: 'response-no-choice', field: 'response', what });
}

/** MMCoQA's answers may be any part of the prediction. Source: MileBench `evaluate.py`, `main`. */
function matchesAnywhere(dataset: string): boolean {
  return dataset.includes('MMCoQA') && !dataset.includes('NeedleInAHaystack');
}

/** Reports a reference answer that the scorers of open questions cannot use. `metric` is that of the dataset. */
export function checkOpenResponse(
  response: PythonValue,
  {
    dataset,
    metric,
    normaliseAnswer,
    report,
  }: {
    readonly dataset: string;
    readonly metric: string | null;
    readonly normaliseAnswer: NormaliseAnswer;
    readonly report: Report;
  },
): void {
  const reference = normaliseAnswer(pythonStr(response));
  if (response === null || reference === '') {
    const what =
      response === null
        ? 'is null'
        : `nothing is left of ${describeJson(response)} once it is normalised for scoring`;
    report({ kind: 'response', field: 'response', what });
  } else if (metric === 'needle' && !matchesAnywhere(dataset) && splitWords(reference).length > 1) {
    const what = `${describeJson(response)} is more than one word, and a needle is compared word by word`;
    report({ kind: 'response-unmatchable', field: 'response', what });
  }
}
