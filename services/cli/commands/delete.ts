import { Command } from 'commander';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { place } from '#services/cli/apply/apply-object.ts';
import { readObjects } from '#services/cli/apply/documents.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withReach, withWait } from '#services/cli/commands/options.ts';
import { confirm } from '#services/cli/confirm.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { discover, findResource, getOrNull, listAll, objects, pathOf } from '#services/cli/plane/resources.ts';
import { isStatus } from '#services/cli/plane/status-failure.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { nameOf } from '#services/cli/print/output.ts';
import { type Target, titleOf } from '#services/cli/wait/definition.ts';
import { notReady } from '#services/cli/wait/not-ready.ts';
import { waitUntil } from '#services/cli/wait/until.ts';

type Options = ReachOptions &
  Readonly<{
    filename?: readonly string[];
    recursive?: boolean;
    yes?: boolean;
    ignoreNotFound?: boolean;
    dryRun?: boolean;
    wait: boolean;
    timeout: number;
  }>;

export function deleteCommand(cli: Cli): Command {
  return withWait(withReach(new Command('delete')))
    .description('delete objects of the plane, and wait until what they brought to clusters is gone')
    .argument('[type]', 'type, or type/name')
    .argument('[names...]')
    .option('-f, --filename <path...>', 'files, folders, or - for the standard input')
    .option('-R, --recursive', 'folders with everything below them')
    .option('--ignore-not-found', 'what is not there is no failure')
    .option('--dry-run', 'ask the server to try only')
    .option('--yes', 'do not ask')
    .action(async (type: string | undefined, names: readonly string[], options: Options) => {
      await withPlane(cli, options, async (plane) => deleteAll(cli, plane, await targetsOf(cli, plane, type, names, options), options));
    });
}

async function targetsOf(
  cli: Cli,
  plane: Plane,
  type: string | undefined,
  names: readonly string[],
  options: Options,
): Promise<readonly Target[]> {
  const served = await discover(plane);
  if (options.filename !== undefined) {
    const inputs = await readObjects(cli, options.filename, options.recursive === true);
    // What was needed first goes last.
    return inputs.toReversed().map((input) => ({ ...place(plane, served, input), name: input.name }));
  }
  const [word, ...slashed] = (type ?? '').split('/');
  const all = [...slashed, ...names];
  if (word === undefined || word === '' || all.length === 0)
    throw unanswered('what is to be deleted?', { next: 'weir delete TYPE NAME, or weir delete -f FILE' });
  const resource = findResource(served, word);
  const namespace = resource.namespaced ? namespaceOf(plane) : null;
  return all.map((name) => ({ resource, namespace, name }));
}

async function deleteAll(cli: Cli, plane: Plane, targets: readonly Target[], options: Options): Promise<void> {
  const found: Readonly<{ target: Target; object: JsonObject }>[] = [];
  for (const target of targets) {
    const object = await getOrNull(plane, pathOf(target.resource, target.namespace, target.name));
    if (object !== null) found.push({ target, object });
    else if (options.ignoreNotFound !== true)
      throw refused(`${titleOf(target)} is not there, or you may not see it`, { next: 'add --ignore-not-found when that is fine' });
  }
  if (found.length === 0) return;
  if (options.dryRun !== true)
    await confirm(
      cli,
      options.yes === true,
      `Delete ${await consequences(
        plane,
        found.map((one) => one.target),
      )}?`,
    );
  for (const { target, object } of found) {
    await remove(plane, target, object, options.dryRun === true);
    cli.io.out(`${nameOf(object)} ${options.dryRun === true ? 'deleted (server dry run)' : 'deleted'}\n`);
  }
  if (options.wait && options.dryRun !== true) for (const { target } of found) await waitGone(cli, plane, target, options.timeout);
}

async function remove(plane: Plane, target: Target, object: JsonObject, dryRun: boolean): Promise<void> {
  const uid = textAt(object, 'metadata', 'uid');
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Background',
    ...(uid === undefined ? {} : { preconditions: { uid } }),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
  try {
    await plane.call({
      method: 'DELETE',
      path: pathOf(target.resource, target.namespace, target.name),
      ...(dryRun ? { query: { dryRun: 'All' } } : {}),
      body,
    });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
}

/** What goes with it, in one phrase: `Kustomization/team-a/apps: 2 deliveries on 2 clusters, 41 objects` (cli-console 1.7). */
async function consequences(plane: Plane, targets: readonly Target[]): Promise<string> {
  const texts: string[] = [];
  for (const target of targets) texts.push(`${titleOf(target)}${await deliveriesText(plane, target)}`);
  return texts.length > 10 ? `${texts.slice(0, 10).join('; ')} and ${texts.length - 10} more` : texts.join('; ');
}

async function deliveriesText(plane: Plane, { resource, namespace, name }: Target): Promise<string> {
  if (resource.kind !== 'Kustomization' || namespace === null) return '';
  const { items } = await listAll(plane, `/apis/weir.dev/v1/namespaces/${encodeURIComponent(namespace)}/deliveries`);
  const own = items.filter(
    (one) => textAt(one, 'spec', 'definition', 'kind') === resource.kind && textAt(one, 'spec', 'definition', 'name') === name,
  );
  const count = own.reduce((sum, one) => sum + objects(at(one, 'status', 'inventory', 'entries')).length, 0);
  const clusters = new Set(
    own.map((one) => `${textAt(one, 'spec', 'cluster', 'namespace') ?? ''}/${textAt(one, 'spec', 'cluster', 'name') ?? ''}`),
  );
  return ` (${own.length} deliveries on ${clusters.size} clusters, ${count} objects)`;
}

async function waitGone(cli: Cli, plane: Plane, target: Target, timeoutMs: number): Promise<void> {
  const waited = await waitUntil(cli, plane, target, (object) => object === null, timeoutMs);
  if (waited.is === 'yes') return;
  const place = target.namespace === null ? '' : ` -n ${target.namespace}`;
  throw await notReady(plane, {
    object: waited.object,
    title: titleOf(target),
    why: `is not gone after ${timeoutMs / 1_000} s`,
    next: `weir events --for ${target.resource.singular}/${target.name}${place}`,
  });
}
