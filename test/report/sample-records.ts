import { type Cell, recordVersion, type SampleRecord } from '../../src/bench/record.js';

export const full: Cell = { method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' };

export function cell(method: string, share: number, firstToken: Cell['firstToken']): Cell {
  const budget = { kind: 'ratio', recent: share / 2, important: share / 2 } as const;
  return { method, semantics: 'release', budget, firstToken };
}

/** Sizes of two layers with these rows, for a prompt of 100 tokens. */
function sizeOf(rows: readonly number[]): SampleRecord['cache']['nominal'] {
  return {
    rows: [...rows],
    bytes: rows.map((count) => count * 2 ** 13),
    ratio: rows.map((count) => count / 100),
  };
}

function nominalRows({ budget }: Cell): number {
  return budget === null ? 100 : Math.trunc(100 * budget.recent) + Math.trunc(100 * budget.important);
}

/** A record with the fields a table reads; 100 prompt tokens in two layers. */
export function record(fields: {
  readonly cell: Cell;
  readonly task?: string;
  readonly column?: string;
  readonly sampleId?: string;
  readonly metric?: string;
  readonly level?: SampleRecord['quantityLevel'];
  /** Under both scorings. */
  readonly score?: number;
  readonly scores?: SampleRecord['scores'];
  /** Kept in both layers, or in each. */
  readonly rows?: number | readonly [number, number];
  readonly remarks?: readonly string[];
  readonly sharedDecode?: true;
  readonly steps?: readonly number[];
  readonly prefill?: number;
  readonly compress?: number;
}): SampleRecord {
  const {
    rows = 100,
    steps = [],
    sampleId = '1',
    task = 'PictureNumbers',
    column = 'S-2',
    score = 1,
    metric = 'accuracy',
  } = fields;
  const kept = typeof rows === 'number' ? ([rows, rows] as const) : rows;
  const nominal = nominalRows(fields.cell);
  const answerScore = { score, extracted: null };
  return {
    version: recordVersion,
    key: JSON.stringify([fields.cell, task, sampleId]),
    backbone: 'tiny',
    task,
    column,
    metric,
    sampleId,
    quantityLevel: fields.level ?? 'Few',
    cell: fields.cell,
    answer: 'a',
    tokens: [1],
    response: 'a',
    choices: null,
    scores: fields.scores ?? { release: answerScore, fixed: answerScore },
    prompt: { tokens: 100, textTokens: 19, images: 1, sha256: '', pixelsSha256: '' },
    cache: {
      nominal: sizeOf([nominal, nominal]),
      effective: sizeOf(kept),
      bytesEnd: (kept[0] + kept[1] + 2) * 2 ** 13,
      keptSha256: [],
      outcome: 'compressed',
      remarks: [...(fields.remarks ?? [])],
    },
    time: {
      prefill: fields.prefill ?? 50,
      compress: fields.compress ?? 2,
      decode: 0,
      steps: [...steps],
      ...(fields.sharedDecode ? { sharedDecode: true } : {}),
    },
  };
}
