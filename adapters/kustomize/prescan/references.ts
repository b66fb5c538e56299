import type { Json, JsonObject } from '#core/json.ts';
import { isObject } from '#core/json.ts';
import { refuse } from '../refusal.ts';

/** What a field may name: a file, a folder with its own kustomization file, or either. */
export type Expected = 'file' | 'folder' | 'either';
/** `plugin`: the file holds transformer or generator settings, whose own fields are scanned too. */
export type Reference = Readonly<{ field: string; path: string; expected: Expected; role: 'data' | 'build' | 'plugin' }>;

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const SCP_LIKE = /^[^/\s]+@[^/\s]+:/;
const KNOWN_HOSTS = /^(gh|github|gitlab|bitbucket|git|ssh|www)(\.[a-z.]+)?[:/]/i;
const HOST_LIKE = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(:[0-9]+)?\/[^/]/i;
/** File endings that look like the last part of a host name. */
const FOLDER_LIKE = /^[^/]+\.(d|yaml|yml|json|old|bak|tmp|orig|new)\//i;
const MAX_PATH_LENGTH = 4096;

/**
 * Why a text counts as a reference to something outside the artifact, or null. Stricter than kustomize on purpose: what it could read as a URL, a
 * repository or an absolute path is refused, whatever exists under that name (threats A1, A3, A5). Pure.
 */
export function remoteReason(text: string): string | null {
  if (text.includes('://') || SCHEME.test(text) || SCP_LIKE.test(text)) return 'is a remote reference';
  if (text.includes('?') || text.includes('//') || text.includes('.git/') || text.endsWith('.git')) return 'is a remote reference';
  if (KNOWN_HOSTS.test(text)) return 'is a remote reference';
  if (HOST_LIKE.test(text) && !FOLDER_LIKE.test(text)) return 'is a remote reference';
  return null;
}

/** The path inside the artifact that a text of a kustomization in `folder` names. Throws buildFailed for remote, absolute and escaping ones. Pure. */
export function resolveReference(folder: string, file: string, field: string, text: string): string {
  const remote = remoteReason(text);
  if (remote !== null) throw refuse(`${file}: ${field} ${remote}; only paths inside the source are built`);
  return resolveLocal(folder, file, field, text);
}

/** As resolveReference, for a text that nothing reads as a URL. Throws buildFailed for absolute and escaping ones. Pure. */
export function resolveLocal(folder: string, file: string, field: string, text: string): string {
  if (text === '' || text.length > MAX_PATH_LENGTH || /[\0-\x1f\\]/.test(text)) throw refuse(`${file}: ${field} is no path`);
  if (text.startsWith('/') || text.startsWith('~'))
    throw refuse(`${file}: ${field} is an absolute path; only paths inside the source are built`);
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw refuse(`${file}: ${field} leaves the source`);
  }
  return parts.join('/');
}

/** The texts of a list field, or a refusal. Kustomize takes null for absent. */
export function textList(value: Json | undefined, file: string, field: string): readonly string[] {
  return list(value, file, field).map((item, index) => {
    if (typeof item !== 'string') throw refuse(`${file}: ${field}[${index}] is no text`);
    return item;
  });
}

export function objectList(value: Json | undefined, file: string, field: string): readonly JsonObject[] {
  return list(value, file, field).map((item, index) => {
    if (!isObject(item)) throw refuse(`${file}: ${field}[${index}] is no map`);
    return item;
  });
}

export function list(value: Json | undefined, file: string, field: string): readonly Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw refuse(`${file}: ${field} is no list`);
  return value;
}

/** Refuses keys that are not in the closed list: a field nobody here knows could hold a path (threats A5). */
export function onlyKeys(value: JsonObject, known: ReadonlySet<string>, file: string, field: string): void {
  for (const key of Object.keys(value)) {
    if (!known.has(key)) throw refuse(`${file}: unknown field ${field === '' ? quoted(key) : `${field}.${quoted(key)}`}`);
  }
}

function quoted(key: string): string {
  return /^[\w.-]{1,80}$/.test(key) ? key : JSON.stringify(key.slice(0, 80));
}
