import { AppError, type ErrorDetails } from '#core/errors.ts';
import { qualifiedName, type Resource, type Subresource, type Verb } from '#core/resource.ts';
import type { Principal } from '#core/tenant.ts';

/** What a request asks for, as far as rights are concerned. */
export type Asked = Readonly<{
  verb: Verb;
  resource: Resource;
  subresource?: Subresource;
  /** '' for a cluster-scoped resource, and for a list over all namespaces. */
  namespace: string;
  /** null for collections and creates. */
  name: string | null;
}>;

const maxNamesShown = 5;

/** 403 with Kubernetes' sentence and, after a colon, what to know or do. */
export function forbidden(principal: Principal, asked: Asked, ending: string): AppError {
  const { verb, resource, namespace, name } = asked;
  const plural = asked.subresource === undefined ? resource.plural : `${resource.plural}/${asked.subresource.name}`;
  const subject = name === null ? qualifiedName(resource) : `${qualifiedName(resource)} "${name}"`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const sentence = `${subject} is forbidden: User "${principal.name}" cannot ${verb} resource "${plural}" in API group "${resource.group}" ${where}`;
  return new AppError('forbidden', ending === '' ? sentence : `${sentence}: ${ending}`, detailsOf(resource, name));
}

/** The way out that a 403 about a namespace names: the caller's own namespaces, which is all they may know. */
export function yourNamespaces(principal: Principal): string {
  const names = principal.memberships.flatMap((one) => one.namespaces).toSorted(byBytes);
  if (names.length === 0) return 'you have no namespaces; an admin of your tenant can add you as a member';
  const shown = names.slice(0, maxNamesShown).join(', ');
  return `your namespaces are ${shown}${names.length > maxNamesShown ? ' and more' : ''}`;
}

/** 403 for a namespace name outside the caller's naming policies: one text, taken or not (kube-api.md 2.5). */
export function namespaceNameForbidden(name: string): AppError {
  const message = `namespaces "${name}" is forbidden: the name is not among the names and prefixes that spec.namespaces of your tenant allows`;
  return new AppError('forbidden', message, { name, kind: 'namespaces' });
}

function detailsOf(resource: Pick<Resource, 'group' | 'plural'>, name: string | null): ErrorDetails {
  return {
    ...(name === null ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
