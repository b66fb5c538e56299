import type { Cause } from '#core/errors.ts';
import type { FieldValidation } from '#services/api/validate/draft.ts';
import type { Query } from '#services/api/wire/query.ts';
import { invalidOptions } from '#services/api/wire/status.ts';

export type WriteOptions = Readonly<{ dryRun: boolean; fieldValidation: FieldValidation }>;
type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

/** Options of a write (kube-api.md 5.1). Throws AppError invalid, naming the options object as Kubernetes does. */
export function readWriteOptions(query: Query, kind: OptionsKind): WriteOptions {
  const causes: Cause[] = [];
  const dryRun = query.get('dryRun') ?? '';
  if (dryRun !== '' && dryRun !== 'All') causes.push(unsupported('dryRun', dryRun, ['All']));
  const validation = query.get('fieldValidation') || 'Warn';
  if (!isFieldValidation(validation)) causes.push(unsupported('fieldValidation', validation, ['Ignore', 'Strict', 'Warn']));
  const manager = query.get('fieldManager') ?? '';
  if (manager.length > 128)
    causes.push({ reason: 'FieldValueInvalid', field: 'fieldManager', message: 'Too long: may not be more than 128 bytes' });
  else if (!/^[\x20-\x7e\u00a0-\uffff]*$/.test(manager))
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'fieldManager',
      message: `Invalid value: ${JSON.stringify(manager)}: should only contain printable characters`,
    });
  // Apply patches are refused before they come here, and `force` belongs to them alone.
  if (kind === 'PatchOptions' && query.has('force'))
    causes.push({ reason: 'FieldValueForbidden', field: 'force', message: 'Forbidden: may not be specified for non-apply patch' });
  if (causes.length > 0) throw invalidOptions(kind, causes);
  return { dryRun: dryRun === 'All', fieldValidation: isFieldValidation(validation) ? validation : 'Warn' };
}

function isFieldValidation(text: string): text is FieldValidation {
  return text === 'Ignore' || text === 'Warn' || text === 'Strict';
}

function unsupported(field: string, value: string, allowed: readonly string[]): Cause {
  const list = allowed.map((one) => JSON.stringify(one)).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${JSON.stringify(value.slice(0, 128))}: supported values: ${list}`,
  };
}

/** `Warning` headers that kubectl prints (kube-api.md 2.3). */
export function warningHeaders(warnings: readonly string[]): Readonly<Record<string, readonly string[]>> {
  if (warnings.length === 0) return {};
  return { warning: warnings.slice(0, 64).map((text) => `299 - ${JSON.stringify(text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 256))}`) };
}
