import { isObject, type JsonObject } from '#core/json.ts';

/** The maker’s groups as kept in the status of the token's object. Pure. */
export function makerGroups(status: JsonObject | null): readonly string[] {
  const groups = isObject(status) ? status['groups'] : undefined;
  return Array.isArray(groups) ? groups.filter((one) => typeof one === 'string') : [];
}
