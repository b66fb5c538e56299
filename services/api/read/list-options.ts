import { AppError, type Cause } from '#core/errors.ts';
import { type LabelSelector, parseLabelSelector } from '#core/label-selector.ts';
import type { Resource } from '#core/resource.ts';
import { type FieldSelector, parseFieldSelector } from '#services/api/wire/field-selector.ts';
import { booleanParameter, integerParameter, type Query } from '#services/api/wire/query.ts';
import { invalidOptions } from '#services/api/wire/status.ts';

/** Which state a list shows (kube-api.md 3.3). */
export type AtVersion =
  | Readonly<{ is: 'newest' }>
  | Readonly<{ is: 'notOlderThan'; version: string }>
  | Readonly<{ is: 'exactly'; version: string }>;

export type Selectors = Readonly<{
  labels: LabelSelector;
  fields: FieldSelector /** As written: continue tokens are bound to them. */;
  text: string;
}>;

export type ListOptions = Readonly<{
  /** Null: everything. */
  limit: number | null;
  continueToken: string | null;
  selectors: Selectors;
  at: AtVersion;
}>;

export type WatchOptions = Readonly<{
  selectors: Selectors;
  /** Send the current objects first. */
  initial: boolean;
  /** End the initial objects with the bookmark that WatchList clients wait for. */
  initialBookmark: boolean;
  /** Changes after this version; null: after the initial objects' own, or from now. */
  after: string | null;
  /** The initial objects are not older than this. */
  notOlderThan: string | null;
  bookmarks: boolean;
  /** Null: the server decides. */
  timeoutMs: number | null;
}>;

const VERSION = /^(0|[1-9][0-9]{0,18})$/;

export function isWatch(query: Query): boolean {
  return booleanParameter(query, 'watch') === true;
}

/** Throws AppError badRequest or invalid (options). */
export function readListOptions(query: Query, resource: Resource): ListOptions {
  if (query.has('sendInitialEvents')) throw badOption('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  const asked = integerParameter(query, 'limit');
  const limit = asked === null || asked <= 0 ? null : asked;
  const continueToken = query.get('continue') || null;
  const version = versionOf(query);
  if (continueToken !== null && version !== null) {
    throw new AppError('badRequest', 'specifying resource version is not allowed when using continue');
  }
  return {
    limit,
    continueToken,
    selectors: selectorsOf(query, resource),
    at: atVersion(version, query.get('resourceVersionMatch') || null, limit),
  };
}

function atVersion(version: string | null, match: string | null, limit: number | null): AtVersion {
  if (match !== null && match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalidOptions('ListOptions', [
      {
        reason: 'FieldValueNotSupported',
        field: 'resourceVersionMatch',
        message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`,
      },
    ]);
  }
  if (version === null) {
    if (match !== null) throw badOption('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided');
    return { is: 'newest' };
  }
  if (version === '0') {
    if (match === 'Exact') throw badOption('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
    return { is: 'newest' };
  }
  const isExact = match === 'Exact' || (match === null && limit !== null);
  return { is: isExact ? 'exactly' : 'notOlderThan', version };
}

function badOption(field: string, message: string): AppError {
  const cause: Cause = { reason: 'FieldValueForbidden', field, message: `Forbidden: ${message}` };
  return invalidOptions('ListOptions', [cause]);
}

/** Throws AppError badRequest. */
export function versionOf(query: Query): string | null {
  const text = query.get('resourceVersion');
  if (text === undefined || text === '') return null;
  if (VERSION.test(text)) return text;
  throw new AppError('badRequest', `invalid resource version: ${JSON.stringify(text.slice(0, 64))}: must be a non-negative integer`);
}

export function selectorsOf(query: Query, resource: Resource): Selectors {
  const labels = query.get('labelSelector') ?? '';
  const fields = query.get('fieldSelector') ?? '';
  return { labels: parseLabelSelector(labels), fields: parseFieldSelector(fields, resource), text: `${labels}\n${fields}` };
}

/** The WatchList rule: implemented or refused, never ignored (kube-api.md section 4). Throws AppError badRequest or invalid (options). */
export function readWatchOptions(query: Query, resource: Resource): WatchOptions {
  const sendInitial = booleanParameter(query, 'sendInitialEvents');
  const match = query.get('resourceVersionMatch') || null;
  const version = versionOf(query);
  const bookmarks = booleanParameter(query, 'allowWatchBookmarks') === true;
  if (sendInitial === null && match !== null)
    throw badOption('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  if (sendInitial !== null && match !== 'NotOlderThan')
    throw badOption('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  const seconds = integerParameter(query, 'timeoutSeconds');
  const fromNow = version === null || version === '0';
  const initial = sendInitial === true || (sendInitial === null && fromNow);
  return {
    selectors: selectorsOf(query, resource),
    initial,
    initialBookmark: sendInitial === true && bookmarks,
    after: initial || fromNow ? null : version,
    notOlderThan: initial && !fromNow ? version : null,
    bookmarks,
    timeoutMs: seconds === null || seconds <= 0 ? null : seconds * 1_000,
  };
}

/** Compares two versions in decimal text. */
export function isNewer(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
