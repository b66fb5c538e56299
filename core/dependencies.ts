import { compileCondition, createEvaluator, type Evaluator, holds, namesOf } from './cel/expression.ts';
import { conditionOf } from './conditions.ts';
import { at, type Json, type JsonObject } from './json.ts';
import type { Lookup, Patterns } from './ports.ts';
import { READY_NAMES } from './spec-expressions.ts';
import type { StoredObject } from './store.ts';
import { rfc3339 } from './time.ts';

type Dependency = Readonly<{ name: string; namespace?: string; readyExpr?: string }>;
type Asked = Readonly<{
  definition: StoredObject;
  apiVersion: string;
  dependsOn: readonly Dependency[];
  patterns: Patterns;
  /** A further reason of the kind's own why a dependency that is ready does not count yet. */
  also?(dependency: StoredObject, status: JsonObject, shown: string): string | null;
}>;

/** Why there is something to wait for: a dependency, or an expression that is none. */
export type Unready = Readonly<{ by: 'dependency' | 'expression'; message: string }>;

/**
 * Why a dependency of the same kind is not ready, or null when all are (definitions.md 3.4): it exists, its observed generation is current, Ready is True. What counts is
 * the dependency on the same cluster, where it is delivered there, else its folded status. `readyExpr` replaces the test, as in Flux unless its feature gate
 * AdditiveCELDependencyCheck is on; an expression that fails is a dependency that is not ready.
 */
export async function unreadyDependency(lookup: Lookup, asked: Asked): Promise<Unready | null> {
  const { definition, dependsOn, also } = asked;
  const evaluator = createEvaluator(asked.patterns);
  for (const wanted of dependsOn) {
    const namespace = wanted.namespace ?? definition.namespace;
    const shown = `'${namespace}/${wanted.name}'`;
    const key = { kind: definition.kind, namespace, name: wanted.name };
    const dependency = await lookup.get(key);
    if (dependency === null) return waiting(`dependency ${shown} not found`);
    const status = ((await lookup.deliveryOf(key)) ?? dependency).status ?? {};
    const unready =
      (wanted.readyExpr ?? '') === ''
        ? byStatus(dependency, status, shown, also)
        : byExpression(asked, wanted, { dependency, status, shown, own: await ownStatus(lookup, definition) }, evaluator);
    if (unready !== null) return unready;
  }
  return null;
}

function waiting(message: string): Unready {
  return { by: 'dependency', message };
}

function byStatus(dependency: StoredObject, status: JsonObject, shown: string, also: Asked['also']): Unready | null {
  if (at(status, 'observedGeneration') !== dependency.generation)
    return waiting(`dependency ${shown} is not ready: its generation ${dependency.generation} is not observed yet`);
  const ready = conditionOf(status, 'Ready');
  if (ready?.status !== 'True')
    return waiting(`dependency ${shown} is not ready${ready === null ? '' : `: ${ready.message.slice(0, 200)}`}`);
  const further = also?.(dependency, status, shown) ?? null;
  return further === null ? null : waiting(further);
}

/** Status of the definition on this run's cluster. */
async function ownStatus(lookup: Lookup, { kind, namespace, name, status }: StoredObject): Promise<JsonObject> {
  return (await lookup.deliveryOf({ kind, namespace, name }))?.status ?? status ?? {};
}

type Found = Readonly<{ dependency: StoredObject; status: JsonObject; shown: string; own: JsonObject }>;

function byExpression({ definition, apiVersion }: Asked, wanted: Dependency, found: Found, evaluator: Evaluator): Unready | null {
  const parsed = compileCondition(wanted.readyExpr ?? '', READY_NAMES);
  if (parsed.is === 'invalid')
    return { by: 'expression', message: `spec.dependsOn: readyExpr of ${found.shown} is no valid CEL expression, ${parsed.message}` };
  const names = namesOf(
    { self: wholeObject(apiVersion, definition, found.own), dep: wholeObject(apiVersion, found.dependency, found.status) },
    evaluator,
  );
  const answer = holds(parsed.expression, names, evaluator);
  if (answer.is === 'error') return waiting(`dependency ${found.shown} is not ready: its readyExpr failed: ${answer.message}`);
  return answer.value ? null : waiting(`dependency ${found.shown} is not ready according to readyExpr eval`);
}

/** The object as the API shows it, without the record of who manages which field. */
function wholeObject(apiVersion: string, object: StoredObject, status: JsonObject): JsonObject {
  const metadata: Record<string, Json> = {
    name: object.name,
    namespace: object.namespace,
    uid: object.uid,
    resourceVersion: object.resourceVersion,
    generation: object.generation,
    creationTimestamp: rfc3339(object.createdAtMs),
    ...(object.deletingAtMs === null ? {} : { deletionTimestamp: rfc3339(object.deletingAtMs) }),
    ...(Object.keys(object.labels).length === 0 ? {} : { labels: object.labels }),
    ...(Object.keys(object.annotations).length === 0 ? {} : { annotations: object.annotations }),
    ...(object.finalizers.length === 0 ? {} : { finalizers: object.finalizers }),
  };
  return { apiVersion, kind: object.kind, metadata, ...object.body, status };
}
