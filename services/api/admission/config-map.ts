import type { Cause } from '#core/errors.ts';
import { canonicalJson, type Json } from '#core/json.ts';
import type { Admission } from '#services/api/admission/admission.ts';
import { invalid } from '#services/api/wire/status.ts';

/** Values of an immutable ConfigMap stay as they are (kubernetes/kubernetes pkg/apis/core/validation). */
export const configMapAdmission: Admission = Object.freeze<Admission>({
  async beforeUpdate(_tx, { resource }, before, draft) {
    if (before.body.immutable !== true) return draft;
    const causes: Cause[] = [];
    for (const field of ['immutable', 'data', 'binaryData']) {
      if (text(before.body[field]) === text(draft.body[field])) continue;
      causes.push({ reason: 'FieldValueForbidden', field, message: 'Forbidden: field is immutable when `immutable` is set' });
    }
    if (causes.length > 0) throw invalid(resource, before.name, causes);
    return draft;
  },
});

function text(value: Json | undefined): string {
  return value === undefined ? '' : canonicalJson(value);
}
