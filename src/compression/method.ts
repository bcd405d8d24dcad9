import type { Composition } from './composition.js';
import type { Frame, Remark } from './policy.js';

/** A method under one semantics. */
export interface MethodDefinition {
  readonly composition: Composition;
  readonly frame: Frame;
  readonly remark?: Remark;
}

/** A cache policy by name: what it is under each semantics. */
export interface Method {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** A row of the paper's Table 1, or something that a claim has to beat. */
  readonly kind: 'paper' | 'control';
  /** What the published code calls it (`kv_mode`), and whether it runs it; null where it has no such mode. */
  readonly released: { readonly mode: string; readonly called: boolean } | null;
  /** null keeps the full cache. */
  readonly definitions: { readonly release: MethodDefinition; readonly paper: MethodDefinition } | null;
}
