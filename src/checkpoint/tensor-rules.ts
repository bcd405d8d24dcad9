/** Where a tensor of a part is named in its file, and the shape the config gives it. */
interface PlainRule<Shape> {
  readonly name: string;
  readonly dims: (shape: Shape) => readonly number[];
}

/** The same for the [out, in] matrix of a linear layer: a bundle may hold it in fewer bits. */
interface MatrixRule<Shape> {
  readonly name: string;
  readonly matrix: (shape: Shape) => readonly [number, number];
}

/** Tensors of a part by what `lookm` calls them. */
export type TensorRules<Shape> = Readonly<Record<string, PlainRule<Shape> | MatrixRule<Shape>>>;

/** One value for each rule: an `M` for a matrix of a linear layer, a `T` for any other tensor. */
export type OfRules<Rules, T, M> = {
  readonly [Part in keyof Rules]: Rules[Part] extends { readonly matrix: unknown } ? M : T;
};

/** Finds one tensor by its name in the checkpoint and the shape it must have. */
export interface TensorFinder<T, M> {
  has(name: string): boolean;
  plain(name: string, dims: readonly number[]): T;
  /** The weight of a linear layer, [out, in]. */
  matrix(name: string, dims: readonly [number, number]): M;
}

/** Finds a tensor for every rule, under its name after `prefix`. */
export function findAll<T, M, Shape, Rules extends TensorRules<Shape>>(
  find: TensorFinder<T, M>,
  prefix: string,
  rules: Rules,
  shape: Shape,
): OfRules<Rules, T, M> {
  const found: Partial<Record<keyof Rules, T | M>> = {};
  for (const part of Object.keys(rules) as (keyof Rules & string)[]) {
    const rule = rules[part]!;
    const name = prefix + rule.name;
    found[part] =
      'matrix' in rule ? find.matrix(name, rule.matrix(shape)) : find.plain(name, rule.dims(shape));
  }
  return found as OfRules<Rules, T, M>;
}
