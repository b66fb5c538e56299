import type { Query } from '#services/api/wire/query.ts';
import { invalidOptions } from '#services/api/wire/status.ts';

/** True for `dryRun=All`. Throws AppError invalid for any other value, as kube-apiserver does. Pure. */
export function isDryRun(query: Query): boolean {
  const value = query.get('dryRun');
  if (value === undefined || value === '') return false;
  if (value === 'All') return true;
  const message = `Invalid value: ${JSON.stringify([value.slice(0, 64)])}: must be "All"`;
  throw invalidOptions('CreateOptions', [{ reason: 'FieldValueNotSupported', field: 'dryRun', message }]);
}
