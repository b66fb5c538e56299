import type { JsonObject } from '#core/json.ts';
import { matchesLabels } from '#core/label-selector.ts';
import type { Resource } from '#core/resource.ts';
import { principalKey } from '#services/api/auth/principal-key.ts';
import { sharedClusters } from '#services/api/auth/shared-clusters.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { auditReveal } from '#services/api/read/audit-read.ts';
import { type Binding, makeContinueToken, readContinueToken } from '#services/api/read/continue-token.ts';
import { listAnswer } from '#services/api/read/list-answer.ts';
import { type ListOptions, readListOptions } from '#services/api/read/list-options.ts';
import { compareKeys, type Page, type PageRequest, type Row, readPageWhenReady } from '#services/api/read/page.ts';
import { partsOf, type Reading } from '#services/api/read/reading.ts';
import { negotiate } from '#services/api/wire/accept.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';
import { matchesFields } from '#services/api/wire/field-selector.ts';
import type { Grant } from '#services/api/wire/grant.ts';
import { toWire } from '#services/api/wire/object.ts';
import type { ResourceRoute } from '#services/api/wire/route.ts';

/** LIST in one namespace or over all of the caller's, in one snapshot (kube-api.md 3.3). */
export function listHandler(deps: ApiDeps, resource: Resource): ResourceRoute['handler'] {
  return async (call, grant) => {
    const view = negotiate(call.headers.accept, 'objects');
    const options = readListOptions(call.query, resource);
    const parts = partsOf(resource, grant, call).map((part) => ({ ...part, reveal: part.reveal && view.as === 'whole' }));
    const reading: Reading = { resource, parts, selectors: options.selectors };
    const binding = bindingOf(call, options);
    const request = requestOf(deps, options, binding);
    await auditReveal(deps, call, parts, { kind: resource.kind, verb: 'list', namespace: call.params.namespace ?? '', name: '' });
    const page = await readPageWhenReady(deps, reading, request, call.signal);
    const shared = page.next === null ? await sharedRows(deps, reading, grant, call) : [];
    const items = [...page.rows, ...shared].toSorted((a, b) => compareKeys(a.object, b.object)).map((row) => row.wire);
    return listAnswer({ resource, view, query: call.query, items, metadata: metadataOf(deps, page, binding), nowMs: deps.clock.nowMs() });
  };
}

/** Clusters of the platform that the caller's tenants were granted, on the last page of a list that may hold them. */
async function sharedRows(deps: ApiDeps, { resource, selectors }: Reading, grant: Grant, call: SignedInCall): Promise<readonly Row[]> {
  const mayHold = resource.kind === 'Cluster' && grant.is !== 'one' && !call.principal.platformAdmin;
  if (!mayHold) return [];
  const found = await sharedClusters(deps.db, call.principal, null);
  return found
    .filter((object) => matchesLabels(selectors.labels, object.labels) && matchesFields(selectors.fields, object))
    .map((object) => ({ object, wire: toWire(resource, object) }));
}

function bindingOf(call: SignedInCall, { selectors }: ListOptions): Binding {
  return { caller: principalKey(call.principal), path: call.path, selectors: selectors.text };
}

function requestOf(deps: ApiDeps, options: ListOptions, binding: Binding): PageRequest {
  const { limit, continueToken, at } = options;
  if (continueToken !== null) {
    const { version, after } = readContinueToken(deps.continueKey, continueToken, binding);
    return { limit, after, version, notOlderThan: null };
  }
  return {
    limit,
    after: null,
    version: at.is === 'exactly' ? at.version : null,
    notOlderThan: at.is === 'notOlderThan' ? at.version : null,
  };
}

function metadataOf(deps: ApiDeps, page: Page, binding: Binding): JsonObject {
  const { version, next } = page;
  if (next === null) return { resourceVersion: version };
  return { resourceVersion: version, continue: makeContinueToken(deps.continueKey, { version, after: next }, binding) };
}
