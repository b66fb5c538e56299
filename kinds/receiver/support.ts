import type { ReceiverSpec } from './schema.ts';

/** Types whose proof is checked by this release: those of git servers and registries, and the generic ones with a secret. */
export const servedTypes = Object.freeze([
  'github',
  'gitlab',
  'bitbucket',
  'generic',
  'generic-hmac',
  'harbor',
  'dockerhub',
  'quay',
  'acr',
  'nexus',
  'cdevents',
] as const);
export type ServedType = (typeof servedTypes)[number];

export function isServedType(type: string): type is ServedType {
  return servedTypes.some((one) => one === type);
}

/** A setting that Flux knows and this release does not do yet: said plainly, since a filter that is not applied would wake too much. Null when there is none. Pure. */
export function unsupportedField(spec: ReceiverSpec): string | null {
  if (!isServedType(spec.type)) return `spec.type ${spec.type} is not served by this release: use one of ${servedTypes.join(', ')}`;
  if (spec.resourceFilter !== undefined)
    return 'spec.resourceFilter is not served by this release: remove it, and name the resources in spec.resources';
  const filtered = spec.resources.findIndex((one) => one.filter !== undefined);
  if (filtered >= 0) return `spec.resources[${filtered}].filter is not served by this release: remove it, and use matchLabels instead`;
  const nameless = spec.resources.findIndex((one) => one.name === '*' && Object.keys(one.matchLabels ?? {}).length === 0);
  if (nameless >= 0) return `spec.resources[${nameless}].matchLabels is needed with the name *: set labels, or name the resource`;
  return null;
}
