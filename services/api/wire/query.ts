import { AppError } from '#core/errors.ts';

/** Query parameters of a request; the last of several equal names counts, as in kube-apiserver for single values. */
export type Query = ReadonlyMap<string, string>;

const maxQueryLength = 65_536;

/** Reads the part of a URL after `?`. Throws AppError badRequest when it is over 64 KiB. */
export function parseQuery(url: string): Query {
  const start = url.indexOf('?');
  if (start === -1) return new Map();
  const text = url.slice(start + 1);
  if (text.length > maxQueryLength) throw new AppError('badRequest', 'the query string is over the limit of 65536 characters');
  return new Map(new URLSearchParams(text));
}

/** `true`, `1` and their spellings in Go's strconv.ParseBool; absent or empty is false. Throws AppError badRequest. */
export function booleanParameter(query: Query, name: string): boolean | null {
  const text = query.get(name);
  if (text === undefined || text === '') return null;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new AppError('badRequest', `strconv.ParseBool: parsing "${text.slice(0, 64)}": invalid syntax`);
}

/** A whole number within JavaScript's safe range; null when absent. Throws AppError badRequest. */
export function integerParameter(query: Query, name: string): number | null {
  const text = query.get(name);
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (/^[+-]?[0-9]{1,19}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new AppError('badRequest', `strconv.ParseInt: parsing "${text.slice(0, 64)}": invalid syntax`);
}
