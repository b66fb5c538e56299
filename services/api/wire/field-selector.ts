import { AppError } from '#core/errors.ts';
import { at, type Json } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';

export type FieldTerm = Readonly<{ path: string; equals: boolean; value: string }>;
export type FieldSelector = readonly FieldTerm[];

const TERM = /^([A-Za-z.]+)(==|=|!=)(.*)$/;

/** Reads `metadata.name=a,type!=b`; only the fields that the kind lists, so that no hidden one can be asked for (threats E7). Throws AppError badRequest. */
export function parseFieldSelector(text: string, resource: Resource): FieldSelector {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => parseTerm(part, resource));
}

function parseTerm(part: string, resource: Resource): FieldTerm {
  const match = TERM.exec(part);
  const [, path = '', operator = '', value = ''] = match ?? [];
  if (match === null) throw new AppError('badRequest', `invalid selector: '${part.slice(0, 64)}'; can't understand '${part.slice(0, 64)}'`);
  const isKnown = path === 'metadata.name' || path === 'metadata.namespace' || resource.fieldSelectors.includes(path);
  if (!isKnown) throw new AppError('badRequest', `field label not supported: ${path}`);
  return { path, equals: operator !== '!=', value: value.replaceAll(/\\([,=\\])/g, '$1') };
}

export function matchesFields(selector: FieldSelector, object: StoredObject): boolean {
  return selector.every(({ path, equals, value }) => (fieldOf(object, path) === value) === equals);
}

function fieldOf(object: StoredObject, path: string): string {
  if (path === 'metadata.name') return object.name;
  if (path === 'metadata.namespace') return object.namespace;
  // `source` of an Event means its component (kubernetes/kubernetes pkg/registry/core/event).
  if (object.kind === 'Event' && path === 'source') return textOf(at(object.body, 'source', 'component'));
  const [first = '', ...rest] = path.split('.');
  if (first === 'status') return textOf(at(object.status ?? undefined, ...rest));
  return textOf(at(object.body, first, ...rest));
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

/** The name that a selector fixes, so that the store is asked for one row; null when it fixes none. */
export function fixedName(selector: FieldSelector): string | null {
  return selector.find((term) => term.path === 'metadata.name' && term.equals)?.value ?? null;
}
