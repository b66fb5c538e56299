import type { ErrorObject } from 'ajv';
import type { Cause } from '#core/errors.ts';
import { isObject, type Json, type JsonObject, stringifyJson } from '#core/json.ts';

const maxShownCharacters = 256;

/** What a validation must not repeat: values under these top-level fields are secret. */
export type CauseOptions = Readonly<{ secretFields: readonly string[] }>;

/** One cause per broken keyword, in kube-apiserver's words (kube-api.md 2.3). Pure. */
export function causesOf(errors: readonly ErrorObject[], value: JsonObject, options: CauseOptions): readonly Cause[] {
  const causes: Cause[] = [];
  for (const error of errors) {
    const cause = causeOf(error, value, options);
    if (cause !== null && !causes.some((one) => one.field === cause.field && one.message === cause.message)) causes.push(cause);
  }
  return causes;
}

function causeOf(error: ErrorObject, value: JsonObject, options: CauseOptions): Cause | null {
  const path = pathOf(error.instancePath);
  const field = fieldText(path);
  if (error.keyword === 'required') {
    const name = String(error.params.missingProperty);
    return { reason: 'FieldValueRequired', field: field === '' ? name : `${field}.${name}`, message: 'Required value' };
  }
  const found = valueAt(value, path);
  const shown = isSecret(path, options) ? '"<hidden>"' : show(error.keyword === 'type' ? typeName(found) : found);
  if (error.keyword === 'enum' && Array.isArray(error.params.allowedValues)) {
    const allowed = error.params.allowedValues.map((one: unknown) => JSON.stringify(one)).join(', ');
    return { reason: 'FieldValueNotSupported', field, message: `Unsupported value: ${shown}: supported values: ${allowed}` };
  }
  if (error.keyword === 'additionalProperties') return null;
  const rule = ruleText(error, field);
  return { reason: 'FieldValueInvalid', field, message: rule.isWhole ? rule.text : `Invalid value: ${shown}: ${rule.text}` };
}

type Rule = Readonly<{ text: string; isWhole: boolean }>;

function ruleText({ keyword, params, message }: ErrorObject, field: string): Rule {
  const inBody = (text: string): Rule => ({ text: `${field} in body ${text}`, isWhole: false });
  switch (keyword) {
    case 'type':
      return inBody(`must be of type ${String(params.type)}`);
    case 'pattern':
      return inBody(`should match '${String(params.pattern)}'`);
    case 'format':
      return inBody(`must be of type ${String(params.format)}`);
    case 'minLength':
      return inBody(`should be at least ${String(params.limit)} chars long`);
    case 'maxLength':
      return { text: `Too long: may not be more than ${String(params.limit)} bytes`, isWhole: true };
    case 'minItems':
      return inBody(`should have at least ${String(params.limit)} items`);
    case 'maxItems':
      return { text: `Too many: must have at most ${String(params.limit)} items`, isWhole: true };
    case 'minProperties':
      return inBody(`should have at least ${String(params.limit)} properties`);
    case 'minimum':
      return inBody(`should be greater than or equal to ${String(params.limit)}`);
    case 'maximum':
      return inBody(`should be less than or equal to ${String(params.limit)}`);
    default:
      return inBody(message ?? 'is not valid');
  }
}

type Path = readonly (string | number)[];

function pathOf(pointer: string): Path {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** `spec.patches[0].patch`; keys that hold a dot or a slash stand in brackets, as in Kubernetes. */
function fieldText(path: Path): string {
  let text = '';
  for (const part of path) {
    const name = String(part);
    if (/^[0-9]+$/.test(name)) text += `[${name}]`;
    else if (/[./]/.test(name)) text += `[${name}]`;
    else text += text === '' ? name : `.${name}`;
  }
  return text;
}

function valueAt(value: Json, path: Path): Json | undefined {
  let current: Json | undefined = value;
  for (const part of path) {
    if (Array.isArray(current)) current = current[Number(part)];
    else if (isObject(current) && Object.hasOwn(current, String(part))) current = current[String(part)];
    else return undefined;
  }
  return current;
}

function isSecret(path: Path, options: CauseOptions): boolean {
  return options.secretFields.includes(String(path[0]));
}

function typeName(value: Json | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'bigint' ? 'integer' : typeof value;
}

function show(value: Json | undefined): string {
  if (isObject(value)) return '"object"';
  if (Array.isArray(value)) return '"array"';
  const text = value === undefined ? '""' : withoutLogin(stringifyJson(value));
  return text.length <= maxShownCharacters ? text : `${text.slice(0, maxShownCharacters)}…`;
}

/** An address may hold a password, and what is refused is printed by clients and kept in logs of CI. Pure. */
export function withoutLogin(text: string): string {
  return text.replaceAll(/:\/\/[^\s/"]*@/g, '://***@');
}
