import { isObject, type Json, type JsonObject, stringifyJson, textAt } from '#core/json.ts';
import { parseVersion, withBuildMetadata } from '#core/semver/version.ts';

export type Metadata = Readonly<{ document: JsonObject; name: string; version: string }>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,249}$/;

/** What Chart.yaml says, checked as helm does (pkg/chart/metadata.go), or what is wrong with it. Pure. */
export function metadataOf(document: Json | undefined): Metadata | string {
  if (!isObject(document)) return 'Chart.yaml is no map';
  const apiVersion = textAt(document, 'apiVersion');
  if (apiVersion !== 'v1' && apiVersion !== 'v2') return 'Chart.yaml needs apiVersion v1 or v2';
  const name = textAt(document, 'name') ?? '';
  if (!NAME.test(name)) return 'the name in Chart.yaml is not allowed: use letters, digits, dots, dashes and underscores';
  const version = document['version'];
  const text = typeof version === 'number' ? String(version) : version;
  if (typeof text !== 'string' || parseVersion(text) === null) return 'the version in Chart.yaml is no semantic version';
  return Object.freeze({ document, name, version: text });
}

/** Chart.yaml with another version; JSON, which is YAML. Null when the version cannot take build metadata. Pure. */
export function withVersionMetadata(
  { document, version }: Metadata,
  metadata: string,
): Readonly<{ bytes: Buffer; version: string }> | null {
  const next = withBuildMetadata(version, metadata);
  return next === null ? null : { bytes: jsonFile({ ...document, version: next }), version: next };
}

/** Go's YAML reader takes U+0085, U+2028 and U+2029 for line breaks, also in quotes. */
export function jsonFile(value: Json): Buffer {
  const text = stringifyJson(value, 2);
  return Buffer.from(`${text.replace(/[\u0085\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`);
}
