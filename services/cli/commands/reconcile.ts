import { Command } from 'commander';
import { type JsonObject, textAt } from '#core/json.ts';
import { rfc3339Millis } from '#core/time.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withReach, withWait } from '#services/cli/commands/options.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { discover, findResource, getOrNull, pathOf, type ServedResource } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { type Target, titleOf, waitForReady } from '#services/cli/wait/definition.ts';

export type ReconcileOptions = ReachOptions & Readonly<{ wait: boolean; timeout: number }>;
type Options = ReconcileOptions & Readonly<{ withSource?: boolean }>;
const mergeType = 'application/merge-patch+json';
/** Flux's own annotation: its value comes back in status.lastHandledReconcileAt (kube-api.md 5.7). */
const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

export function reconcileCommand(cli: Cli): Command {
  return withWait(withReach(new Command('reconcile')))
    .description('work on a definition now, and wait until it is Ready')
    .argument('<kind>')
    .argument('<name>')
    .option('--with-source', 'its source first')
    .action(async (kind: string, name: string, options: Options) => {
      await withPlane(cli, options, async (plane) => {
        const served = await discover(plane);
        const resource = findResource(served, kind);
        const target = { resource, namespace: resource.namespaced ? namespaceOf(plane) : null, name };
        const object = await mustGet(plane, target);
        if (options.withSource === true) await reconcile(cli, plane, sourceOf(served, target, object), options);
        const after = await reconcile(cli, plane, target, options);
        const revision = textAt(after ?? {}, 'status', 'lastAppliedRevision') ?? textAt(after ?? {}, 'status', 'artifact', 'revision');
        if (revision !== undefined) cli.io.out(`${revision}\n`);
      });
    });
}

/** Asks for a run and waits for it unless told not to; answers the object after it. Throws CliFailure (exit 1) when it is not there, suspended or not ready in time. */
export async function reconcile(cli: Cli, plane: Plane, target: Target, options: ReconcileOptions): Promise<JsonObject | null> {
  const before = await mustGet(plane, target);
  if (before['spec'] !== undefined && Reflect.get(Object(before['spec']), 'suspend') === true)
    throw refused(`${titleOf(target)} is suspended`, { next: `weir resume ${target.resource.singular} ${target.name}` });
  const handledBefore = textAt(before, 'status', 'lastHandledReconcileAt');
  const requestedAt = rfc3339Millis(cli.clock.nowMs());
  cli.narrate.start(`asking for ${titleOf(target)}`);
  await plane.call({
    method: 'PATCH',
    path: pathOf(target.resource, target.namespace, target.name),
    query: { fieldManager: 'weir-reconcile' },
    contentType: mergeType,
    body: { metadata: { annotations: { [REQUESTED_AT]: requestedAt } } },
  });
  if (!options.wait) return null;
  return waitForReady(cli, plane, target, options.timeout, (object) => {
    const handled = textAt(object, 'status', 'lastHandledReconcileAt');
    return handled !== undefined && handled !== handledBefore;
  });
}

async function mustGet(plane: Plane, target: Target): Promise<JsonObject> {
  const object = await getOrNull(plane, pathOf(target.resource, target.namespace, target.name));
  if (object === null) throw refused(`${titleOf(target)} is not there, or you may not see it`);
  return object;
}

function sourceOf(served: readonly ServedResource[], target: Target, object: JsonObject): Target {
  const kind = textAt(object, 'spec', 'sourceRef', 'kind');
  const name = textAt(object, 'spec', 'sourceRef', 'name');
  const resource = served.find((one) => one.kind === kind && one.group.startsWith('source.'));
  if (name === undefined || resource === undefined)
    throw unanswered(`${titleOf(target)} names no source that this plane has`, { next: 'leave --with-source out' });
  return { resource, namespace: textAt(object, 'spec', 'sourceRef', 'namespace') ?? target.namespace, name };
}
