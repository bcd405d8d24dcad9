const alphabet = 26;
const codeOfA = 65;

/** The dataset whose prompt lists the choices without labels (MileBench `utils.py`, line 87). */
const unlabelledDataset = 'GPR1200';

/**
 * The label of a choice: `A` to `Z`, `AA` to `ZZ`, and so on, as spreadsheets name columns.
 * Repairs choices past `Z` (`evaluate.py` lines 40-46): there the labels end at `BZ` and go on with `B[`. Up to `BZ`
 * they are these.
 */
export function uniqueLabel(index: number): string {
  const last = String.fromCodePoint(codeOfA + (index % alphabet));
  return index < alphabet ? last : `${uniqueLabel(Math.floor(index / alphabet) - 1)}${last}`;
}

export interface ChoiceLabels {
  /** The label of each choice. */
  readonly labels: readonly string[];
  /** The label each written form stands for; case counts. */
  readonly forms: ReadonlyMap<string, string>;
  /** Whether the prompt lists the choices with labels. */
  readonly shown: boolean;
}

/**
 * The forms in which an answer may write the labels of `count` choices: the labels themselves, single letters in
 * lower case, and what the prompt shows. It labels choice i with the character `A` + i (`utils.py` line 87), so past
 * `Z` come `[`, `\` and, from choice 33 on, the lower-case letters: these then stand for the later choices.
 */
export function choiceLabels({
  count,
  datasetName,
}: {
  readonly count: number;
  readonly datasetName: string;
}): ChoiceLabels {
  const shown = datasetName !== unlabelledDataset;
  const labels = Array.from({ length: count }, (_, index) => uniqueLabel(index));
  const forms = new Map<string, string>();
  for (const label of labels.slice(0, alphabet)) forms.set(label.toLowerCase(), label);
  for (const [index, label] of labels.entries()) {
    forms.set(label, label);
    if (shown) forms.set(String.fromCodePoint(codeOfA + index), label);
  }
  return { labels, forms, shown };
}
