import { itemsOf } from '#adapters/kube/answer.ts';
import { metadataList } from '#adapters/kube/meta.ts';
import { getObject, type Target } from '#adapters/kube/objects.ts';
import { type ApiPath, apiPath, collectionPath, type ResourceType } from '#adapters/kube/paths.ts';
import type { Session } from '#adapters/kube/session.ts';
import { at, type Json, type JsonObject, textAt } from '#core/json.ts';
import { DELIVERY_LABEL } from '#core/object-id.ts';
import type { ObjectRef } from '#core/ports.ts';

const timeoutMs = 15_000;
const maxBytes = 1024 * 1024;
const atATime = 8;

/** What every namespace has, or what only tells of other objects. */
const ownOfEachNamespace: ReadonlySet<string> = new Set(['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);
const derived: ReadonlySet<string> = new Set(['Event', 'Endpoints', 'EndpointSlice', 'Lease', 'ControllerRevision', 'PodMetrics']);

/** True for the kinds whose deletion takes other content with it. */
export function canHoldContent(ref: ObjectRef): boolean {
  const key = `${ref.apiVersion}/${ref.kind}`;
  return key === 'v1/Namespace' || key === 'v1/PersistentVolumeClaim' || key === 'apiextensions.k8s.io/v1/CustomResourceDefinition';
}

/**
 * Whether deleting the object takes content with it that this delivery does not delete anyway: objects in a Namespace, instances of a CRD, the volume of a
 * bound PVC. What the account may not list counts as content. False for an object that is not there.
 */
export async function holdsForeignContent(
  session: Session,
  target: Target,
  deliveryId: string,
  kinds: () => Promise<readonly ResourceType[]>,
  signal: AbortSignal,
): Promise<boolean> {
  const live = await getObject(session, target, 'application/json', signal);
  if (live === null) return false;
  if (target.type.kind === 'PersistentVolumeClaim')
    return (textAt(live, 'spec', 'volumeName') ?? '') !== '' || textAt(live, 'status', 'phase') === 'Bound';
  if (target.type.kind === 'CustomResourceDefinition') return anyInstance(session, live, deliveryId, signal);
  const listed = (await kinds()).filter((type) => type.namespaced && type.verbs.includes('list') && !derived.has(type.kind));
  for (let from = 0; from < listed.length; from += atATime) {
    const found = await Promise.all(
      listed
        .slice(from, from + atATime)
        .map((type) => anyForeign(session, collectionPath(type, target.name), type.kind, deliveryId, signal)),
    );
    if (found.includes(true)) return true;
  }
  return false;
}

function anyInstance(session: Session, definition: JsonObject, deliveryId: string, signal: AbortSignal): Promise<boolean> {
  const versions = at(definition, 'spec', 'versions');
  const served = (Array.isArray(versions) ? versions : []).find((one: Json) => at(one, 'served') === true);
  const group = textAt(definition, 'spec', 'group') ?? '';
  const plural = textAt(definition, 'spec', 'names', 'plural') ?? '';
  const version = textAt(served, 'name') ?? '';
  if (version === '' || group === '' || plural === '') return Promise.resolve(true);
  return anyForeign(
    session,
    apiPath('apis', group, version, plural),
    textAt(definition, 'spec', 'names', 'kind') ?? '',
    deliveryId,
    signal,
  );
}

/** Objects of this delivery are left out by the selector: they are deleted in the same plan. */
async function anyForeign(session: Session, path: ApiPath, kind: string, deliveryId: string, signal: AbortSignal): Promise<boolean> {
  const query = { limit: '5', labelSelector: `${DELIVERY_LABEL}!=${deliveryId}` };
  const answer = await session.request({ method: 'GET', path, query, accept: metadataList, timeoutMs, maxBytes, signal });
  if (answer.status === 404 || answer.status === 405) return false;
  const items = answer.status === 200 ? itemsOf(answer) : null;
  if (items === null) return true;
  return items.some((item) => !ownOfEachNamespace.has(`${kind}/${textAt(item, 'metadata', 'name') ?? ''}`));
}
