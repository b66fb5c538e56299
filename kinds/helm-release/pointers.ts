import { isObject, type Json } from '#core/json.ts';

/** The value at a JSON pointer (RFC 6901), or undefined when it is not there. Pure. */
export function atPointer(value: Json, pointer: string): Json | undefined {
  return keysOf(pointer).reduce<Json | undefined>((current, key) => {
    if (Array.isArray(current)) return current[Number(key)];
    return isObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  }, value);
}

/** A copy with this value at the pointer; undefined takes it away. What has no such path stays as it is. Pure. */
export function withPointer(value: Json, pointer: string, wanted: Json | undefined): Json {
  return put(value, keysOf(pointer), wanted);
}

function put(value: Json | undefined, [key, ...rest]: readonly string[], wanted: Json | undefined): Json {
  if (key === undefined) return wanted ?? null;
  if (Array.isArray(value)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= value.length) return value;
    if (rest.length === 0 && wanted === undefined) return value.filter((_one, at) => at !== index);
    return value.map((one: Json, at) => (at === index ? put(one, rest, wanted) : one));
  }
  const map = isObject(value) ? value : {};
  if (rest.length === 0 && wanted === undefined) {
    const { [key]: _gone, ...others } = map;
    return others;
  }
  if (wanted === undefined && !Object.hasOwn(map, key)) return value ?? {};
  return { ...map, [key]: put(Object.hasOwn(map, key) ? map[key] : undefined, rest, wanted) };
}

function keysOf(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
