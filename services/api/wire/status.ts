import { AppError, type Cause, type ErrorDetails, errorTable } from '#core/errors.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import { qualifiedName } from '#core/resource.ts';

/** A failed answer as a Kubernetes Status (kube-api.md 2.3). `headers` go with it. */
export type Failure = Readonly<{ code: number; status: JsonObject; headers: Readonly<Record<string, string>> }>;

/**
 * The Status of an error. Whatever is no AppError is a bug of ours: the answer names the Audit-Id and nothing else,
 * never a stack, SQL or another tenant's name.
 */
export function failureOf(error: unknown, auditId: string): Failure {
  if (!(error instanceof AppError)) return failure(500, 'InternalError', `an internal error occurred; its Audit-Id is ${auditId}`, {});
  const entry = errorTable[error.code];
  return failure(entry.httpStatus, entry.reason, error.message, error.details, retryAfterOf(error));
}

function retryAfterOf(error: AppError): number | null {
  if (error.details.retryAfterSeconds !== undefined) return error.details.retryAfterSeconds;
  return error.code === 'unavailable' || error.code === 'timeout' || error.code === 'tooManyRequests' ? 1 : null;
}

function failure(code: number, reason: string, message: string, details: ErrorDetails, retryAfterSeconds: number | null = null): Failure {
  const wire = detailsOf(details, retryAfterSeconds);
  const status: JsonObject = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(Object.keys(wire).length === 0 ? {} : { details: wire }),
    code,
  };
  return { code, status, headers: retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) } };
}

function detailsOf(details: ErrorDetails, retryAfterSeconds: number | null): JsonObject {
  const { name, group, kind, uid, causes } = details;
  const wire: Record<string, Json> = {};
  if (name !== undefined) wire.name = name;
  if (group !== undefined && group !== '') wire.group = group;
  if (kind !== undefined) wire.kind = kind;
  if (uid !== undefined) wire.uid = uid;
  if (causes !== undefined) wire.causes = causes.map(causeOf);
  if (retryAfterSeconds !== null) wire.retryAfterSeconds = retryAfterSeconds;
  return wire;
}

function causeOf(cause: Cause): JsonObject {
  const { reason, message, field } = cause;
  return field === undefined ? { reason, message } : { reason, message, field };
}

/** The Status of a deletion that is done. */
export function deletedStatus(resource: Resource, name: string, uid: string): JsonObject {
  const details = { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

type Named = Pick<Resource, 'group' | 'plural' | 'kind'>;

export function objectNotFound(resource: Pick<Resource, 'group' | 'plural'>, name: string): AppError {
  return new AppError('notFound', `${qualifiedName(resource)} "${name}" not found`, pluralDetails(resource, name));
}

export function namespaceNotFound(name: string): AppError {
  return new AppError('notFound', `namespaces "${name}" not found`, { name, kind: 'namespaces' });
}

export function pathNotFound(): AppError {
  return new AppError('notFound', 'the server could not find the requested resource');
}

export function methodNotAllowed(): AppError {
  return new AppError('methodNotAllowed', 'the server does not allow this method on the requested resource');
}

export function alreadyExists(resource: Named, name: string): AppError {
  return new AppError('alreadyExists', `${qualifiedName(resource)} "${name}" already exists`, pluralDetails(resource, name));
}

/** A stale resourceVersion; `because` replaces the usual sentence for failed preconditions. */
export function conflict(resource: Named, name: string, because?: string): AppError {
  const text = because ?? 'the object has been modified; please apply your changes to the latest version and try again';
  return new AppError(
    'conflict',
    `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${text}`,
    pluralDetails(resource, name),
  );
}

function pluralDetails(resource: Pick<Resource, 'group' | 'plural'>, name: string): ErrorDetails {
  return { name, group: resource.group, kind: resource.plural };
}

/** All broken rules of one object at once, sorted by field so that the text is stable. */
export function invalid(resource: Named, name: string, causes: readonly Cause[]): AppError {
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  return new AppError('invalid', `${kind} "${name}" is invalid: ${joinCauses(causes)}`, {
    name,
    group: resource.group,
    kind: resource.kind,
    causes: sortCauses(causes),
  });
}

/** Broken options of a request: Kubernetes names the options object instead of a kind. */
export function invalidOptions(
  kind: 'ListOptions' | 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions',
  causes: readonly Cause[],
): AppError {
  const message = `${kind}.meta.k8s.io "" is invalid: ${joinCauses(causes)}`;
  return new AppError('invalid', message, { group: 'meta.k8s.io', kind, causes: sortCauses(causes) });
}

function joinCauses(causes: readonly Cause[]): string {
  const texts = sortCauses(causes).map((cause) => (cause.field === undefined ? cause.message : `${cause.field}: ${cause.message}`));
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function sortCauses(causes: readonly Cause[]): readonly Cause[] {
  return causes.toSorted((a, b) => compareText(a.field ?? '', b.field ?? '') || compareText(a.message, b.message));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
