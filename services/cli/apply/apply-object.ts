import { canonicalJson, isObject, type Json, type JsonObject, stringifyJson, textAt } from '#core/json.ts';
import type { InputObject } from '#services/cli/apply/documents.ts';
import { threeWayPatch, withLastApplied } from '#services/cli/apply/merge.ts';
import { unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { findKind, pathOf, type ServedResource } from '#services/cli/plane/resources.ts';
import { isStatus } from '#services/cli/plane/status-failure.ts';
import { namespaceOf } from '#services/cli/plane/with-plane.ts';

export type ApplyResult = Readonly<{ result: 'created' | 'configured' | 'unchanged'; object: JsonObject }>;
export type Placed = Readonly<{ input: InputObject; resource: ServedResource; namespace: string | null }>;

/** Finds the type and the namespace of an object. Throws CliFailure (exit 2) for a type that the plane does not have. */
export function place(plane: Plane, served: readonly ServedResource[], input: InputObject): Placed {
  const resource = findKind(served, input.apiVersion, input.kind);
  if (resource === null)
    throw unanswered(`${input.from}: the plane has no ${input.kind} of ${input.apiVersion}`, {
      next: 'objects of workload clusters belong into a Git repository that a Kustomization applies',
    });
  return { input, resource, namespace: resource.namespaced ? (input.namespace ?? namespaceOf(plane)) : null };
}

/** Creates, or merges what differs, or does nothing; `dryRun` asks the server to try only. What it said is in the result. */
export async function applyObject(plane: Plane, { input, resource, namespace }: Placed, dryRun: boolean): Promise<ApplyResult> {
  const path = pathOf(resource, namespace, input.name);
  const query = { fieldValidation: 'Strict', fieldManager: 'weir-apply', ...(dryRun ? { dryRun: 'All' } : {}) };
  const wanted = namespace === null ? input.object : withNamespace(input.object, namespace);
  if (resource.kind === 'Secret' && resource.group === '') return applySecret(plane, pathOf(resource, namespace), path, wanted, query);
  const live = await readOrNull(plane, path);
  if (live === null)
    return {
      result: 'created',
      object: await plane.call({ method: 'POST', path: pathOf(resource, namespace), query, body: withLastApplied(wanted) }),
    };
  const patch = threeWayPatch(live, wanted);
  if (patch === null) return { result: 'unchanged', object: live };
  const after = await plane.call({ method: 'PATCH', path, query, body: patch, contentType: 'application/merge-patch+json' });
  return { result: isSameVersion(live, after, dryRun) ? 'unchanged' : 'configured', object: after };
}

/**
 * An editor may write Secrets without reading them: nothing is read here. A JSON patch replaces the data as a whole, so that no key stays
 * behind, and no copy of a value goes into an annotation.
 */
async function applySecret(
  plane: Plane,
  collection: string,
  path: string,
  wanted: JsonObject,
  query: Readonly<Record<string, string>>,
): Promise<ApplyResult> {
  const { stringData, ...rest } = wanted;
  const data = { ...(isObject(rest['data']) ? rest['data'] : {}), ...encoded(stringData) };
  try {
    return { result: 'created', object: await plane.call({ method: 'POST', path: collection, query, body: { ...rest, data } }) };
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
  const mergeType = 'application/merge-patch+json';
  const before = await plane.call({ method: 'PATCH', path, query: { ...query, dryRun: 'All' }, body: {}, contentType: mergeType });
  const metadata = isObject(rest['metadata']) ? rest['metadata'] : {};
  const labelled = {
    metadata: {
      ...(metadata['labels'] === undefined ? {} : { labels: metadata['labels'] }),
      ...(metadata['annotations'] === undefined ? {} : { annotations: metadata['annotations'] }),
    },
  };
  if (Object.keys(labelled.metadata).length > 0) await plane.call({ method: 'PATCH', path, query, body: labelled, contentType: mergeType });
  const after = await plane.call({
    method: 'PATCH',
    path,
    query,
    body: [{ op: 'add', path: '/data', value: data }],
    contentType: 'application/json-patch+json',
  });
  return { result: versionOf(before) === versionOf(after) ? 'unchanged' : 'configured', object: after };
}

function encoded(stringData: Json | undefined): JsonObject {
  if (!isObject(stringData)) return {};
  return Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [
      key,
      Buffer.from(typeof value === 'string' ? value : stringifyJson(value), 'utf8').toString('base64'),
    ]),
  );
}

async function readOrNull(plane: Plane, path: string): Promise<JsonObject | null> {
  try {
    return await plane.call({ method: 'GET', path });
  } catch (error) {
    if (isStatus(error, 404)) return null;
    throw error;
  }
}

/** A write that changes nothing keeps the number (kube-api.md 2.7); a dry run shows no new one, so the content counts there. */
function isSameVersion(live: JsonObject, after: JsonObject, dryRun: boolean): boolean {
  return dryRun ? canonicalJson(withoutVersion(live)) === canonicalJson(withoutVersion(after)) : versionOf(live) === versionOf(after);
}

function withoutVersion(object: JsonObject): JsonObject {
  const {
    resourceVersion: _version,
    generation: _generation,
    managedFields: _fields,
    ...metadata
  } = isObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata };
}

function versionOf(object: JsonObject): string | undefined {
  return textAt(object, 'metadata', 'resourceVersion');
}

function withNamespace(object: JsonObject, namespace: string): JsonObject {
  return { ...object, metadata: { ...(isObject(object['metadata']) ? object['metadata'] : {}), namespace } };
}
