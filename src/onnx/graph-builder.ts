import type { onnx as onnxTypes } from 'onnx-proto';
import onnxProto from 'onnx-proto';
import { invariant } from '../core/errors.js';
import { bytesOf } from '../core/tensor.js';

const { onnx } = onnxProto;

/** Element types used in `lookm` graphs, with their ONNX codes. */
const elementTypes = { f32: 1, u8: 2, i8: 3, i32: 6, i64: 7, bool: 9, f16: 10 } as const;
export type ElementType = keyof typeof elementTypes;

/** A dimension is a size or the name of a free one. */
export type Dim = number | string;

/** Where an initializer lies in an external weight file next to the graph. */
export interface ExternalTensor {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Attribute values: integers, integer lists, strings, and floats marked as such. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

const irVersion = 8;
const opset = 18;
const microsoftDomain = 'com.microsoft';

/**
 * Builds one ONNX graph in memory. Values are named by strings; every method that adds a value returns
 * its name, so graphs read as nested or sequential calls.
 */
export class GraphBuilder {
  readonly #nodes: onnxTypes.INodeProto[] = [];
  readonly #initializers: onnxTypes.ITensorProto[] = [];
  readonly #inputs: onnxTypes.IValueInfoProto[] = [];
  readonly #outputs: onnxTypes.IValueInfoProto[] = [];
  readonly #constants = new Map<string, string>();

  input(name: string, type: ElementType, dims: readonly Dim[]): string {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  output(name: string, type: ElementType, dims: readonly Dim[]): string {
    this.#outputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** An initializer stored inside the graph. */
  initializer(name: string, type: ElementType, dims: readonly number[], data: ArrayBufferView): string {
    this.#initializers.push({ name, dataType: elementTypes[type], dims: [...dims], rawData: bytesOf(data) });
    return name;
  }

  /** An initializer that ONNX Runtime reads from a file next to the graph. */
  external(name: string, type: ElementType, dims: readonly number[], where: ExternalTensor): string {
    this.#initializers.push({
      name,
      dataType: elementTypes[type],
      dims: [...dims],
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [
        { key: 'location', value: where.file },
        { key: 'offset', value: String(where.offset) },
        { key: 'length', value: String(where.bytes) },
      ],
    });
    return name;
  }

  /** A constant int64 vector; equal constants are stored once. */
  ints(values: readonly number[]): string {
    return this.#constant(`ints_${values.join('_')}`, (name) =>
      this.initializer(name, 'i64', [values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  /** A constant float32 scalar; equal constants are stored once. */
  float(value: number): string {
    return this.#constant(`float_${value}`, (name) =>
      this.initializer(name, 'f32', [], Float32Array.of(value)),
    );
  }

  /** A standard operator with one output; returns the output's name. */
  op(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    output?: string,
  ): string {
    const name = output ?? this.#fresh(type);
    this.#add('', type, inputs, [name], attributes);
    return name;
  }

  /** An operator of ONNX Runtime's own domain with one output. */
  microsoft(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    output?: string,
  ): string {
    const name = output ?? this.#fresh(type);
    this.#add(microsoftDomain, type, inputs, [name], attributes);
    return name;
  }

  /** An operator of ONNX Runtime's own domain with several outputs; an empty name skips an output. */
  microsoftMulti(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): void {
    this.#add(microsoftDomain, type, inputs, outputs, attributes);
  }

  /** The serialised model. */
  bytes(): Uint8Array {
    invariant(this.#outputs.length > 0, 'an ONNX graph needs an output');
    const model = onnx.ModelProto.create({
      irVersion,
      producerName: 'lookm',
      opsetImport: [
        { domain: '', version: opset },
        { domain: microsoftDomain, version: 1 },
      ],
      graph: {
        name: 'lookm',
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
    return onnx.ModelProto.encode(model).finish();
  }

  #add(
    domain: string,
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, Attribute>,
  ): void {
    this.#nodes.push({
      opType: type,
      domain,
      name: this.#fresh(type),
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
  }

  #constant(key: string, make: (name: string) => string): string {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = make(key);
    this.#constants.set(key, name);
    return name;
  }

  #fresh(type: string): string {
    return `${type}_${this.#nodes.length}`;
  }
}

function valueInfo(name: string, type: ElementType, dims: readonly Dim[]): onnxTypes.IValueInfoProto {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}

function attribute(name: string, value: Attribute): onnxTypes.IAttributeProto {
  const types = onnx.AttributeProto.AttributeType;
  if (typeof value === 'number') return { name, type: types.INT, i: value };
  if (typeof value === 'string') return { name, type: types.STRING, s: Buffer.from(value) };
  if ('float' in value) return { name, type: types.FLOAT, f: value.float };
  return { name, type: types.INTS, ints: [...value] };
}
