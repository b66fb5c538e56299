import { AppError } from '#core/errors.ts';
import { parseMediaType } from '#services/api/wire/media-type.ts';

export type BodyFormat = 'json' | 'yaml' | 'protobuf' | 'merge-patch' | 'json-patch' | 'strategic-patch' | 'apply-patch';

const objectTypes: Readonly<Record<string, BodyFormat>> = Object.freeze({
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
});
const patchTypes: Readonly<Record<string, BodyFormat>> = Object.freeze({
  'application/json-patch+json': 'json-patch',
  'application/merge-patch+json': 'merge-patch',
  'application/strategic-merge-patch+json': 'strategic-patch',
  'application/apply-patch+yaml': 'apply-patch',
});

/**
 * The one reading of Content-Type: a closed list per method, nothing repaired (threats K1). No header on POST, PUT or DELETE means JSON,
 * since the Python client sends some that way. `null` for methods without a body. Throws AppError unsupportedMediaType.
 */
export function bodyFormat(method: string, header: string | undefined): BodyFormat | null {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return null;
  const accepted = method === 'PATCH' ? patchTypes : objectTypes;
  if (header === undefined && method !== 'PATCH') return 'json';
  const parsed = header === undefined ? null : parseMediaType(header);
  const format = parsed === null || !plainParameters(parsed.parameters) ? undefined : lookUp(accepted, parsed.type);
  if (format !== undefined) return format;
  throw new AppError(
    'unsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${Object.keys(accepted).join(', ')}`,
  );
}

function lookUp(table: Readonly<Record<string, BodyFormat>>, type: string): BodyFormat | undefined {
  return Object.hasOwn(table, type) ? table[type] : undefined;
}

/** Bodies are UTF-8; any other parameter would be a meaning that we do not implement. */
function plainParameters(parameters: ReadonlyMap<string, string>): boolean {
  return [...parameters].every(([name, value]) => name === 'charset' && value === 'utf-8');
}
