import { isObject, type Json, type JsonObject } from '#core/json.ts';
import type { IndexEntries, IndexEntry } from './index-lines.ts';

/** The entries of an index that was read whole; null when it has none. Entries without a version stay out later, since no version can name them. Pure. */
export function entriesOfDocument(document: Json | undefined): IndexEntries | null {
  const entries = isObject(document) ? document['entries'] : undefined;
  if (entries === null) return new Map();
  if (!isObject(entries)) return null;
  const charts = new Map<string, readonly IndexEntry[]>();
  for (const [name, list] of Object.entries(entries)) {
    if (list === null) continue;
    if (!Array.isArray(list)) return null;
    charts.set(
      name,
      list.flatMap((one: Json) => (isObject(one) ? [entryOf(one)] : [])),
    );
  }
  return charts;
}

function entryOf(one: JsonObject): IndexEntry {
  const urls = one['urls'];
  return Object.freeze({
    version: scalarText(one['version']),
    urls: Array.isArray(urls) ? urls.filter((url: Json) => typeof url === 'string') : [],
    digest: scalarText(one['digest']),
    created: scalarText(one['created']),
  });
}

/** Numbers become the text that Go makes of them for a text field. */
function scalarText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}
