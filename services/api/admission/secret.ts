import type { Admission } from '#services/api/admission/admission.ts';
import { invalid } from '#services/api/wire/status.ts';

/** The type of a secret cannot change, since who uses it relies on its keys. Values of an immutable one are looked at where they are opened. */
export const secretAdmission: Admission = Object.freeze<Admission>({
  async beforeUpdate(_tx, { resource }, before, draft) {
    if (draft.body.type !== before.body.type) {
      throw invalid(resource, before.name, [
        { reason: 'FieldValueInvalid', field: 'type', message: `Invalid value: ${JSON.stringify(draft.body.type)}: field is immutable` },
      ]);
    }
    if (before.body.immutable === true && draft.body.immutable !== true) {
      throw invalid(resource, before.name, [
        { reason: 'FieldValueForbidden', field: 'immutable', message: 'Forbidden: field is immutable when `immutable` is set' },
      ]);
    }
    return draft;
  },
});
