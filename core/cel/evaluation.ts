import type { CallContext } from './functions.ts';
import type { Node } from './syntax.ts';
import { CelError, type Value } from './values.ts';

export type Scope = Readonly<{ find(name: string): Value | undefined }>;
export type Evaluation = CallContext & Readonly<{ scope: Scope; evaluate(node: Node, run: Evaluation): Value }>;

/** The value of a node, or its error as a value. */
export function attempt(node: Node, run: Evaluation): Value | CelError {
  try {
    return run.evaluate(node, run);
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
}
