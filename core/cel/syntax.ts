/** Syntax tree of the Common Expression Language (cel-spec doc/langdef.md). Positions are offsets into the text. */
export type Node = Readonly<{ at: number }> &
  (
    | Readonly<{ is: 'literal'; value: null | boolean | bigint | number | string | Uint8Array | Readonly<{ is: 'uint'; value: bigint }> }>
    | Readonly<{ is: 'name'; name: string }>
    | Readonly<{ is: 'select'; of: Node; field: string; optional: boolean }>
    | Readonly<{ is: 'has'; of: Node; field: string }>
    | Readonly<{ is: 'index'; of: Node; key: Node; optional: boolean }>
    | Readonly<{ is: 'list'; items: readonly Readonly<{ value: Node; optional: boolean }>[] }>
    | Readonly<{ is: 'map'; entries: readonly Readonly<{ key: Node; value: Node; optional: boolean }>[] }>
    | Readonly<{ is: 'call'; name: string; target: Node | null; args: readonly Node[] }>
    | Readonly<{ is: 'choice'; test: Node; yes: Node; no: Node }>
    | Readonly<{ is: 'logic'; operator: '&&' | '||'; left: Node; right: Node }>
    | Readonly<{ is: 'macro'; name: MacroName; of: Node; variable: string; filter: Node | null; body: Node }>
  );

export type MacroName = 'all' | 'exists' | 'exists_one' | 'map' | 'filter' | 'optMap' | 'optFlatMap';

/** Limits of one expression: what is longer or deeper is refused before anything is evaluated (threats A11). */
export const MAX_LENGTH = 8_192;
export const MAX_NODES = 2_000;
export const MAX_DEPTH = 50;

/** A text that is no expression. `position` counts characters from 1. */
export class CelSyntaxError extends Error {
  override readonly name = 'CelSyntaxError';
  readonly position: number;

  constructor(message: string, offset: number) {
    super(message);
    this.position = offset + 1;
  }
}
