import type { Cause } from './errors.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** Why a text is no DNS subdomain of at most 253 characters (RFC 1123), or null. */
export function subdomainFault(text: string): string | null {
  if (text.length > 253) return 'must be no more than 253 bytes';
  return SUBDOMAIN.test(text) ? null : SUBDOMAIN_RULE;
}

/** Why a text is no DNS label of at most 63 characters (RFC 1123), or null. */
export function labelFault(text: string): string | null {
  if (text.length > 63) return 'must be no more than 63 bytes';
  return LABEL.test(text) ? null : LABEL_RULE;
}

/** Why a text is no `[prefix/]name` as keys of labels and annotations are, or null. */
export function qualifiedNameFault(text: string): string | null {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2)
    return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/'";
  if (parts.length === 2) {
    const prefix = subdomainFault(parts[0] ?? '');
    if (prefix !== null) return `prefix part ${prefix}`;
  }
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return 'name part must be no more than 63 bytes';
  return QUALIFIED.test(name) ? null : QUALIFIED_RULE;
}

/** Why a text is no label value, or null. */
export function labelValueFault(text: string): string | null {
  if (text.length > 63) return 'must be no more than 63 bytes';
  return text === '' || QUALIFIED.test(text) ? null : VALUE_RULE;
}

export function invalidValue(field: string, value: string, rule: string): Cause {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value.slice(0, 256))}: ${rule}` };
}
