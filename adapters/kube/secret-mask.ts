import { at, isObject, type Json, type JsonObject } from '#core/json.ts';

const mask = '***';

/**
 * An API server's message about an object, with the values of a Secret masked: each value as it was sent, its base64 and its plain form,
 * and whatever else stands in quotes and is no name. Messages about other kinds pass unchanged. Pure.
 */
export function maskSecretValues(message: string, manifest: JsonObject): string {
  if (manifest['kind'] !== 'Secret' || manifest['apiVersion'] !== 'v1') return message;
  let masked = message;
  for (const value of valuesOf(manifest)) masked = masked.replaceAll(value, mask);
  const names = namesIn(manifest);
  return masked.replaceAll(/"((?:[^"\\]|\\.)*)"/g, (whole, inner: string) => (names.has(inner) ? whole : `"${mask}"`));
}

/** Longest first, so that a value inside another one leaves no rest. */
function valuesOf(manifest: JsonObject): readonly string[] {
  const values = [...textsIn(manifest['data']), ...textsIn(manifest['stringData'])].flatMap((text) => [
    text,
    Buffer.from(text, 'base64').toString('utf8'),
    Buffer.from(text, 'utf8').toString('base64'),
  ]);
  return [...new Set(values)].filter((value) => value.length >= 3).toSorted((a, b) => b.length - a.length);
}

function textsIn(map: Json | undefined): readonly string[] {
  return isObject(map) ? Object.values(map).filter((value) => typeof value === 'string') : [];
}

function namesIn(manifest: JsonObject): ReadonlySet<string> {
  const metadata = [at(manifest, 'metadata', 'name'), at(manifest, 'metadata', 'namespace')];
  const keys = [manifest['data'], manifest['stringData']].flatMap((map) => (isObject(map) ? Object.keys(map) : []));
  return new Set(['v1', 'Secret', 'secrets', '', ...keys, ...metadata.filter((name) => typeof name === 'string')]);
}
