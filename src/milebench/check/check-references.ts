import { imagePlaceholder } from '../prompt.js';

/** `{image#3}` and `{table#3}`, and what looks like them but stays text: MileBench writes plain decimals. */
const referencePattern = /\{(image|table)#([^{}]{0,20})\}/g;

const plainNumber = /^[1-9]\d*$/;

/** What a sample's references lead to, where that is not "image k stands where the text says so". */
export interface ReferenceFaults {
  /** References to no image of the sample, as written; they stay in the prompt as text. */
  readonly beyond: readonly string[];
  /** Places for images in the text, when they are more or fewer than the images. */
  readonly places: number | null;
  /** The first place whose image is another one than the text says, counted from 1. */
  readonly misplaced: { readonly place: number; readonly named: number } | null;
}

/**
 * Finds what the official pipeline passes over in silence: it drops the numbers of references and attaches the images
 * by their order. `text` is the context with its choices. Source: MileBench `utils.py`, `__getitem__`.
 */
export function findReferenceFaults({
  text,
  images,
}: {
  readonly text: string;
  readonly images: number;
}): ReferenceFaults {
  const named: number[] = [];
  const beyond: string[] = [];
  const things = new Set<string>();
  for (const [reference, thing = '', number = ''] of text.matchAll(referencePattern)) {
    things.add(thing);
    if (plainNumber.test(number) && Number(number) <= images) named.push(Number(number));
    else beyond.push(reference);
  }
  const places = named.length + text.split(imagePlaceholder).length - 1;
  if (places !== images) return { beyond, places, misplaced: null };
  // Images and tables may be numbered apart, and a placeholder written out has no number.
  const isNumbered = named.length === places && things.size === 1;
  const index = isNumbered ? named.findIndex((number, place) => number !== place + 1) : -1;
  const misplaced = index === -1 ? null : { place: index + 1, named: named[index]! };
  return { beyond, places: null, misplaced };
}
