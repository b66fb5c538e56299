import { Command } from 'commander';
import { at, type Json, type JsonObject, textAt } from '#core/json.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach, withWait } from '#services/cli/commands/options.ts';
import { type ReconcileOptions, reconcile } from '#services/cli/commands/reconcile.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { discover, findResource, listAll, objects, pathOf } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { listOf, parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';

type ListOptions = ReachOptions & Readonly<{ output?: string; limit: number }>;
type TestOptions = ListOptions &
  Readonly<{ semver?: string; alphabetical?: string; numerical?: string; pattern?: string; extract?: string }>;

export function imageCommand(cli: Cli): Command {
  const list = withLimit(withOutput(withReach(new Command('list'))))
    .description('the image repositories of the namespace, or the tags of one, newest text first')
    .argument('[repository]')
    .action(async (name: string | undefined, options: ListOptions) =>
      withPlane(cli, options, (plane) =>
        name === undefined ? listRepositories(cli, plane, options) : listTags(cli, plane, name, options),
      ),
    );
  const scan = withWait(withReach(new Command('scan')))
    .description('scan a repository now, and wait until its tags are stored')
    .argument('<repository>')
    .action(async (name: string, options: ReconcileOptions) => withPlane(cli, options, (plane) => scanNow(cli, plane, name, options)));
  const test = withLimit(withOutput(withReach(new Command('test'))))
    .description('which tag a policy would choose now, and why each other one lost; another rule can be tried, and nothing is written')
    .argument('<policy>')
    .option('--semver <range>', 'instead of its rule: the highest version in a range')
    .option('--alphabetical <order>', 'instead of its rule: asc or desc')
    .option('--numerical <order>', 'instead of its rule: asc or desc')
    .option('--pattern <regexp>', 'instead of its filter: tags in which this is found (RE2)')
    .option('--extract <text>', 'what of the pattern is ordered, such as $ts')
    .action(async (name: string, options: TestOptions) => withPlane(cli, options, (plane) => testPolicy(cli, plane, name, options)));
  return new Command('image')
    .description('image repositories, their tags, and what policies choose')
    .addCommand(list)
    .addCommand(scan)
    .addCommand(new Command('policy').description('image policies').addCommand(test));
}

function withLimit(command: Command): Command {
  return command.option('--limit <count>', 'at most so many tags', limitOf, 100);
}

function limitOf(text: string): number {
  const limit = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 10_000) throw unanswered(`--limit ${text}: write a number from 1 to 10000`);
  return limit;
}

async function subresource(
  plane: Plane,
  kind: string,
  name: string,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<JsonObject> {
  const resource = findResource(await discover(plane), kind);
  return plane.call({ method: 'GET', path: `${pathOf(resource, namespaceOf(plane), name)}/${path}`, query });
}

async function listRepositories(cli: Cli, plane: Plane, options: ListOptions): Promise<void> {
  const output = parseOutput(options.output);
  const resource = findResource(await discover(plane), 'imagerepositories');
  const { items } = await listAll(plane, pathOf(resource, namespaceOf(plane)));
  const rows = items.map((one) => [
    textAt(one, 'metadata', 'name') ?? '',
    textAt(one, 'spec', 'image') ?? '',
    countText(at(one, 'status', 'lastScanResult', 'tagCount')),
    textAt(one, 'status', 'lastScanResult', 'scanTime') ?? '',
    readyText(one),
  ]);
  printValue(cli.io, output, listOf(items), () => tableText(['name', 'image', 'tags', 'last new', 'status'], rows));
}

function countText(value: Json | undefined): string {
  return typeof value === 'number' ? String(value) : '';
}

function readyText(object: JsonObject): string {
  const ready = objects(at(object, 'status', 'conditions')).find((one) => textAt(one, 'type') === 'Ready');
  return textAt(ready ?? {}, 'message') ?? 'not scanned yet';
}

async function listTags(cli: Cli, plane: Plane, name: string, options: ListOptions): Promise<void> {
  const output = parseOutput(options.output);
  const answer = await subresource(plane, 'imagerepositories', name, 'tags', { limit: String(options.limit) });
  const tags = textsAt(answer, 'tags');
  printValue(
    cli.io,
    output,
    answer,
    () =>
      tableText(
        ['tag'],
        tags.map((tag) => [tag]),
      ),
    () => tags,
  );
  if (textAt(answer, 'metadata', 'continue') !== undefined)
    cli.narrate.say(`there are ${Number(at(answer, 'total'))}: add --limit, at most 10000`);
}

async function scanNow(cli: Cli, plane: Plane, name: string, options: ReconcileOptions): Promise<void> {
  const resource = findResource(await discover(plane), 'imagerepositories');
  const after = await reconcile(cli, plane, { resource, namespace: namespaceOf(plane), name }, options);
  const revision = textAt(after ?? {}, 'status', 'lastScanResult', 'revision');
  if (revision !== undefined) cli.io.out(`${revision}\n`);
}

/** Exit 1 when no tag would be chosen: the answer is no. */
async function testPolicy(cli: Cli, plane: Plane, name: string, options: TestOptions): Promise<void> {
  const output = parseOutput(options.output);
  const { semver, alphabetical, numerical, pattern, extract } = options;
  const tried = Object.entries({ semver, alphabetical, numerical, pattern, extract }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const answer = await subresource(plane, 'imagepolicies', name, 'choice', { limit: String(options.limit), ...Object.fromEntries(tried) });
  const chosen = textAt(answer, 'chosen');
  const losses = objects(at(answer, 'losses'));
  const held = at(answer, 'isHeld') === true ? 'chosen earlier; gone from the registry, and what is left is older' : '';
  const rows = [
    ...(chosen === undefined ? [] : [[chosen, 'chosen', held]]),
    ...losses.filter((one) => textAt(one, 'tag') !== chosen).map((one) => [textAt(one, 'tag') ?? '', 'lost', reasonOf(one)]),
  ];
  printValue(
    cli.io,
    output,
    answer,
    () => tableText(['tag', 'result', 'why'], rows),
    () => (chosen === undefined ? [] : [chosen]),
  );
  if (Number(at(answer, 'total')) > losses.length + 1)
    cli.narrate.say(`${Number(at(answer, 'total'))} tags in all: add --limit, at most 10000`);
  if (chosen === undefined) throw refused(`no tag would be chosen: ${textAt(answer, 'message') ?? ''}`, { next: 'weir image list' });
}

function reasonOf(loss: JsonObject): string {
  const value = textAt(loss, 'value') ?? '';
  const by = textAt(loss, 'by') ?? '';
  switch (textAt(loss, 'why')) {
    case 'filtered':
      return 'the pattern is not found in it';
    case 'noVersion':
      return `${value} is no version`;
    case 'outsideRange':
      return `${value} is outside the range`;
    case 'equal':
      return `equal to ${by}, which comes later as text`;
    case 'beaten':
      return `${by} comes later`;
    default:
      return textAt(loss, 'why') ?? '';
  }
}

function textsAt(object: JsonObject, key: string): readonly string[] {
  const found = at(object, key);
  return Array.isArray(found) ? found.filter((one): one is string => typeof one === 'string') : [];
}
