import { Command } from 'commander';
import { at, canonicalJson, isObject, type Json, type JsonObject, stringifyJson, textAt } from '#core/json.ts';
import { applyObject, type Placed, place } from '#services/cli/apply/apply-object.ts';
import { readObjects } from '#services/cli/apply/documents.ts';
import { LAST_APPLIED } from '#services/cli/apply/merge.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { inOrder } from '#services/cli/commands/apply.ts';
import { boolOf, withOutput, withReach } from '#services/cli/commands/options.ts';
import { CliFailure, exitCodes, unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { discover, getOrNull, objects, pathOf } from '#services/cli/plane/resources.ts';
import { withPlane } from '#services/cli/plane/with-plane.ts';
import { nameOf, parseOutput, printValue } from '#services/cli/print/output.ts';
import { oneLine } from '#services/cli/term/strip.ts';

type Options = ReachOptions & Readonly<{ filename: readonly string[]; recursive?: boolean; output?: string; exitCode: boolean }>;
/** Rendering and dry runs on every cluster take longer than a read. */
const diffTimeoutMs = 120_000;

export function diffCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('diff')))
    .description(
      'what applying the files would change: on the clusters for a Kustomization or a HelmRelease, as the tenant; on the plane for the rest',
    )
    .requiredOption('-f, --filename <path...>', 'files, folders, or - for the standard input')
    .option('-R, --recursive', 'folders with everything below them')
    .option('--exit-code [bool]', 'false: a difference is exit 0, too', boolOf('--exit-code'), true)
    .addHelpText('after', '\nExit codes: 0 no difference · 1 a difference · 2 could not answer · 4 login needed')
    .action(async (options: Options) => {
      const output = parseOutput(options.output);
      const inputs = inOrder(await readObjects(cli, options.filename, options.recursive === true));
      await withPlane(cli, options, async (plane) => {
        const served = await discover(plane);
        const clusters: JsonObject[] = [];
        for (const one of inputs.map((input) => place(plane, served, input))) clusters.push(...(await answerOf(plane, one)));
        const diff = { kind: 'Diff', apiVersion: 'weir.dev/v1', clusters };
        printValue(
          cli.io,
          output,
          diff,
          () => diffText(clusters),
          () => changedNames(clusters),
        );
        endWith(clusters, options.exitCode);
      });
    });
}

/** A cluster that could not be asked makes the whole answer unknown; a difference is "no" to "is it all the same?". */
function endWith(clusters: readonly JsonObject[], exitCode: boolean): void {
  const failed = clusters.filter((one) => textAt(one, 'error') !== undefined);
  if (failed.length > 0)
    throw new CliFailure(exitCodes.unanswered, `${failed.length} of ${clusters.length} comparisons failed`, {
      details: failed.map((one) => oneLine(`${textAt(one, 'cluster') ?? ''}: ${textAt(one, 'error') ?? ''}`)),
    });
  const differs = clusters.some((one) => objects(at(one, 'objects')).some((object) => textAt(object, 'change') !== 'unchanged'));
  if (differs && exitCode) throw new CliFailure(exitCodes.no, 'there are differences');
}

/** "No" is kept for a difference: a comparison that was refused is an error (exit 2). */
async function answerOf(plane: Plane, one: Placed): Promise<readonly JsonObject[]> {
  try {
    return await diffOf(plane, one);
  } catch (error) {
    if (error instanceof CliFailure && error.exitCode === exitCodes.no)
      throw new CliFailure(exitCodes.unanswered, error.message, error.more, { cause: error });
    throw error;
  }
}

async function diffOf(plane: Plane, one: Placed): Promise<readonly JsonObject[]> {
  if (!['Kustomization', 'HelmRelease'].includes(one.resource.kind) || one.namespace === null) return [await planeDiff(plane, one)];
  const path = `${pathOf(one.resource, one.namespace, one.input.name)}/diff`;
  const metadata = { ...(isObject(one.input.object['metadata']) ? one.input.object['metadata'] : {}), namespace: one.namespace };
  const answer = await plane.call({ method: 'POST', path, body: { ...one.input.object, metadata }, timeoutMs: diffTimeoutMs });
  const clusters = objects(at(answer, 'clusters'));
  // Nothing was compared: that is no "no difference".
  if (clusters.length === 0)
    throw unanswered(`${one.resource.kind}/${one.namespace}/${one.input.name} would run on no cluster`, {
      next: 'write a Placement that selects it, or set the namespace’s default cluster',
    });
  return clusters;
}

/** The plane's own object against what a dry run of the same request gives. */
async function planeDiff(plane: Plane, one: Placed): Promise<JsonObject> {
  const { input, resource, namespace } = one;
  const isSecret = resource.kind === 'Secret' && resource.group === '';
  const live = isSecret ? null : await getOrNull(plane, pathOf(resource, namespace, input.name));
  const { result, object } = await applyObject(plane, one, true);
  const fields = live === null ? [] : fieldsBetween(comparable(live), comparable(object), '');
  const change =
    result === 'created'
      ? 'added'
      : isSecret
        ? result === 'unchanged'
          ? 'unchanged'
          : 'changed'
        : fields.length === 0
          ? 'unchanged'
          : 'changed';
  const ref = { apiVersion: input.apiVersion, kind: input.kind, namespace: namespace ?? '', name: input.name };
  return {
    cluster: 'plane',
    objects: [{ id: `${namespace ?? ''}_${input.name}_${resource.group}_${input.kind}`, ref, change, fields: isSecret ? [] : fields }],
  };
}

function comparable(object: JsonObject): JsonObject {
  const { status: _status, metadata, ...rest } = object;
  const {
    resourceVersion: _version,
    generation: _generation,
    managedFields: _fields,
    uid: _uid,
    creationTimestamp: _created,
    annotations,
    ...kept
  } = isObject(metadata) ? metadata : {};
  const { [LAST_APPLIED]: _copy, ...others } = isObject(annotations) ? annotations : {};
  return { ...rest, metadata: { ...kept, ...(Object.keys(others).length === 0 ? {} : { annotations: others }) } };
}

/** Each field that differs, with its path. Pure. */
export function fieldsBetween(from: Json | undefined, to: Json | undefined, path: string): readonly JsonObject[] {
  if (isObject(from) && isObject(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return keys.flatMap((key) => fieldsBetween(from[key], to[key], path === '' ? key : `${path}.${key}`));
  }
  if (from !== undefined && to !== undefined && canonicalJson(from) === canonicalJson(to)) return [];
  return from === undefined && to === undefined
    ? []
    : [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
}

/** Objects that differ anywhere, once each. */
function changedNames(clusters: readonly JsonObject[]): readonly string[] {
  const changed = clusters
    .flatMap((cluster) => objects(at(cluster, 'objects')))
    .filter((object) => textAt(object, 'change') !== 'unchanged');
  return [
    ...new Set(
      changed.map((object) =>
        nameOf({
          apiVersion: at(object, 'ref', 'apiVersion') ?? '',
          kind: at(object, 'ref', 'kind') ?? '',
          metadata: { name: at(object, 'ref', 'name') ?? '' },
        }),
      ),
    ),
  ];
}

const signs: Readonly<Record<string, string>> = Object.freeze({ added: '+', changed: '~', removed: '-' });

function diffText(clusters: readonly JsonObject[]): string {
  const lines = clusters.flatMap((cluster) => {
    const changed = objects(at(cluster, 'objects')).filter((object) => textAt(object, 'change') !== 'unchanged');
    const error = textAt(cluster, 'error');
    const title = `${textAt(cluster, 'cluster') ?? ''}: ${error === undefined ? `${changed.length} of ${objects(at(cluster, 'objects')).length} objects differ` : `could not be compared: ${error}`}`;
    return [title, ...changed.flatMap(objectLines)];
  });
  return lines.length === 0 ? '' : `${lines.map((line) => line.split('\n').map(oneLineKeepingIndent).join('\n')).join('\n')}\n`;
}

function objectLines(object: JsonObject): readonly string[] {
  const namespace = textAt(object, 'ref', 'namespace') ?? '';
  const title = `${signs[textAt(object, 'change') ?? ''] ?? '?'} ${textAt(object, 'ref', 'kind') ?? ''}/${namespace === '' ? '' : `${namespace}/`}${textAt(object, 'ref', 'name') ?? ''}`;
  return [
    `  ${title}`,
    ...objects(at(object, 'fields')).map(
      (field) => `      ${textAt(field, 'path') ?? ''}: ${valueText(field['from'])} -> ${valueText(field['to'])}`,
    ),
  ];
}

function valueText(value: Json | undefined): string {
  return value === undefined ? '(none)' : stringifyJson(value);
}

function oneLineKeepingIndent(line: string): string {
  const indent = /^ */.exec(line)?.[0] ?? '';
  return `${indent}${oneLine(line)}`;
}
