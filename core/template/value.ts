import { TemplateError } from './tokens.ts';

/** What a template works with. A dict is in the order in which Go would range over it: by key. */
export type Value = string | number | boolean | List | Dict | Struct;
export type List = Readonly<{ is: 'list'; items: readonly Value[] }>;
export type Dict = Readonly<{ is: 'dict'; entries: readonly (readonly [Value, Value])[] }>;
/** `text` is what is printed for the whole; null for what cannot be printed. */
export type Struct = Readonly<{ is: 'struct'; fields: Readonly<Record<string, Value>>; text: string | null }>;

/** Go's truth: false, 0, the empty text and empty collections are not. */
export function isTrue(value: Value): boolean {
  if (typeof value !== 'object') return value !== '' && value !== 0 && value !== false;
  switch (value.is) {
    case 'list':
      return value.items.length > 0;
    case 'dict':
      return value.entries.length > 0;
    case 'struct':
      return true;
  }
}

export function textOf(value: Value): string {
  if (typeof value !== 'object') return String(value);
  if (value.is === 'struct' && value.text !== null) return value.text;
  throw new TemplateError(`a ${value.is} cannot be printed: use range, or name one of its fields`);
}

/** A field of a struct, or the value of a dict's key. Throws TemplateError where there is none. */
export function fieldOf(value: Value, name: string): Value {
  if (typeof value === 'object' && value.is === 'struct' && Object.hasOwn(value.fields, name)) {
    const found = value.fields[name];
    if (found !== undefined) return found;
  }
  if (typeof value === 'object' && value.is === 'dict') {
    const found = value.entries.find(([key]) => key === name);
    if (found !== undefined) return found[1];
  }
  throw new TemplateError(`there is no field or key '${name}' here`);
}

export function dict(values: Readonly<Record<string, string>>): Dict {
  const entries = Object.entries(values).sort(([left], [right]) => (left < right ? -1 : 1));
  return { is: 'dict', entries };
}
