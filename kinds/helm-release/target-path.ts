import { isObject, type Json, type JsonObject } from '#core/json.ts';

/** A mistake in a path or value; the message quotes neither the value nor anything else that may be secret. */
export class TargetPathError extends Error {
  override name = 'TargetPathError';
}

type Step = Readonly<{ key: string }> | Readonly<{ index: number }>;

const MAX_INDEX = 65_536;
const MAX_STEPS = 64;
const MAX_PAIRS = 1_000;

/**
 * Values with one value set at a path, in the syntax of `helm --set` (helm.sh/helm/v4 pkg/strvals: dots, `[n]`, `\.`; a value `{a,b}` is a list, `a,x=b` sets a second
 * key; numbers without a point, booleans and null are typed). A value in quotes stays a text, and `literal` takes it as it is (definitions.md 4.2). Pure: nothing of
 * it reaches a command line (threats B8). Throws TargetPathError.
 */
export function setAtPath(values: JsonObject, path: string, value: string, literal: boolean): JsonObject {
  if (literal) return putAt(values, parsePath(path), value);
  const quoted = /^(['"]).*\1$/s.test(value) && value.length > 1;
  const typed = quoted ? (text: string): Json => text : typedValue;
  const body = quoted ? value.replace(/^['"]+|['"]+$/g, '') : value;
  let result = values;
  for (const pair of pairsOf(path, body)) result = putAt(result, parsePath(pair.path), valueOf(pair.value, typed));
  return result;
}

/** `a=1,b=2`: the first path is given, further ones stand in the value. */
function pairsOf(path: string, text: string): readonly Readonly<{ path: string; value: string }>[] {
  const [first = '', ...others] = splitAt(text, ',', true);
  const pairs = [{ path, value: first }];
  for (const one of others) {
    if (one === '') continue;
    const [key = '', ...rest] = splitAt(one, '=', false);
    if (rest.length === 0)
      throw new TargetPathError('the value has a comma, and what follows has no `=`: escape it as `\\,`, or set literal: true');
    pairs.push({ path: key, value: rest.join('=') });
    if (pairs.length > MAX_PAIRS) throw new TargetPathError(`the value sets more than ${MAX_PAIRS} keys`);
  }
  return pairs;
}

/** Parts at a separator that is neither escaped nor, with `braces`, within a leading `{…}`. Escapes stay. */
function splitAt(text: string, separator: string, braces: boolean): readonly string[] {
  const parts: string[] = [];
  let part = '';
  let inside = false;
  for (let at = 0; at < text.length; at += 1) {
    const one = text.charAt(at);
    if (one === '\\') {
      part += text.slice(at, at + 2);
      at += 1;
      continue;
    }
    if (braces && one === '{' && part === '') inside = true;
    if (inside && one === '}') inside = false;
    if (one === separator && !inside) {
      parts.push(part);
      part = '';
    } else part += one;
  }
  if (inside) throw new TargetPathError('the list in the value has no closing brace');
  return [...parts, part];
}

function valueOf(text: string, typed: (text: string) => Json): Json {
  if (!text.startsWith('{') || !text.endsWith('}')) return typed(unescaped(text));
  const inner = text.slice(1, -1);
  return inner === '' ? [] : splitAt(inner, ',', false).map((one) => typed(unescaped(one.trimStart())));
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, '$1');
}

/** Types as helm gives them: integers that do not begin with 0, booleans and null; everything else is text. */
function typedValue(text: string): Json {
  switch (text.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
    case '0':
      return 0;
  }
  if (!/^[-+]?[1-9][0-9]*$/.test(text)) return text;
  const whole = BigInt(text);
  if (whole > 9_223_372_036_854_775_807n || whole < -9_223_372_036_854_775_808n) return text;
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
}

function parsePath(path: string): readonly Step[] {
  const steps: Step[] = [];
  let key = '';
  let open = true;
  const close = (): void => {
    if (key !== '') steps.push({ key });
    else if (open) throw new TargetPathError('targetPath has an empty part');
    key = '';
  };
  for (let at = 0; at < path.length; at += 1) {
    const one = path.charAt(at);
    if (one === '\\') {
      key += path.charAt(at + 1);
      at += 1;
    } else if (one === '.') {
      close();
      open = true;
      continue;
    } else if (one === '[') {
      if (key !== '' || !open) close();
      const end = path.indexOf(']', at);
      const index = Number(path.slice(at + 1, end === -1 ? path.length : end));
      if (end === -1 || !/^[0-9]+$/.test(path.slice(at + 1, end))) throw new TargetPathError('targetPath has an index that is no number');
      if (index > MAX_INDEX) throw new TargetPathError(`targetPath has an index above ${MAX_INDEX}`);
      steps.push({ index });
      at = end;
      open = false;
      continue;
    } else key += one;
    open = true;
  }
  if (key !== '' || open) close();
  if (steps.length > MAX_STEPS) throw new TargetPathError(`targetPath has more than ${MAX_STEPS} parts`);
  return steps;
}

function putAt(values: JsonObject, steps: readonly Step[], value: Json): JsonObject {
  const result = put(values, steps, value);
  if (!isObject(result)) throw new TargetPathError('targetPath begins with an index: values are a map');
  return result;
}

function put(current: Json | undefined, steps: readonly Step[], value: Json): Json {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if ('key' in step) {
    if (step.key === '__proto__') throw new TargetPathError('targetPath has a key that is not allowed');
    const map = isObject(current) ? current : {};
    return { ...map, [step.key]: put(map[step.key], rest, value) };
  }
  const list: Json[] = Array.isArray(current) ? [...current] : [];
  while (list.length <= step.index) list.push(null);
  list[step.index] = put(list[step.index], rest, value);
  return list;
}
