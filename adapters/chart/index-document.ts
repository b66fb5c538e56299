import { isObject, type Json, type JsonObject } from '#core/json.ts';
import { type IndexEntries, type IndexEntry, MAX_URLS } from './index-lines.ts';

/** The entries of an index that was read whole; null when it has none, or no apiVersion, as in helm. Entries without a version stay out later, since no version can name them. Pure. */
export function entriesOfDocument(document: Json | undefined): IndexEntries | null {
  if (!isObject(document) || scalarText(document['apiVersion']) === '') return null;
  const entries = document['entries'];
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
    urls: Array.isArray(urls) ? urls.filter((url: Json) => typeof url === 'string').slice(0, MAX_URLS) : [],
    digest: scalarText(one['digest']),
    created: scalarText(one['created']),
  });
}

/** Numbers become the text that Go makes of them for a text field. */
function scalarText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}
