import { Command } from 'commander';
import { at, type Json, type JsonObject, stringifyJson, textAt } from '#core/json.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { discover, findResources, listAll, objects, pathOf, type ServedResource } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { listOf, parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';

export type GetOptions = ReachOptions & Readonly<{ output?: string; allNamespaces?: boolean; selector?: string; fieldSelector?: string }>;

const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io';

export function getCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('get')))
    .description('show objects of any type that the plane serves')
    .argument('<type>', 'plural, singular, short name or category; several with commas; or type/name')
    .argument('[names...]')
    .option('-A, --all-namespaces', 'in all your namespaces')
    .option('-l, --selector <labels>', 'label selector')
    .option('--field-selector <fields>', 'field selector')
    .action(async (type: string, names: readonly string[], options: GetOptions) => {
      const [word, ...slashed] = type.split('/');
      await withPlane(cli, options, (plane) => get(cli, plane, word ?? '', [...slashed, ...names], options));
    });
}

async function get(cli: Cli, plane: Plane, word: string, names: readonly string[], options: GetOptions): Promise<void> {
  const output = parseOutput(options.output);
  const resources = findResources(await discover(plane), word);
  if (names.length > 0 && (resources.length > 1 || options.allNamespaces === true))
    throw unanswered('a name goes with one type and one namespace');
  if (output.as === 'table' || output.as === 'wide') return showTables(cli, plane, resources, names, options, output.as === 'wide');
  const found: JsonObject[] = [];
  for (const resource of resources) found.push(...(await objectsOf(plane, resource, names, options)));
  const [only] = found;
  const value = names.length === 1 && only !== undefined ? only : listOf(found);
  printValue(cli.io, output, value, () => '');
}

async function objectsOf(
  plane: Plane,
  resource: ServedResource,
  names: readonly string[],
  options: GetOptions,
): Promise<readonly JsonObject[]> {
  const namespace = placeOf(plane, resource, options);
  if (names.length === 0) return (await listAll(plane, pathOf(resource, namespace), queryOf(options))).items;
  return Promise.all(names.map((name) => plane.call({ method: 'GET', path: pathOf(resource, namespace, name) })));
}

async function showTables(
  cli: Cli,
  plane: Plane,
  resources: readonly ServedResource[],
  names: readonly string[],
  options: GetOptions,
  wide: boolean,
): Promise<void> {
  let shown = 0;
  for (const resource of resources) {
    const namespace = placeOf(plane, resource, options);
    const withNamespace = resource.namespaced && namespace === null;
    const tables =
      names.length === 0
        ? await pages(plane, pathOf(resource, namespace), queryOf(options))
        : await Promise.all(
            names.map((name) => plane.call({ method: 'GET', path: pathOf(resource, namespace, name), accept: tableAccept })),
          );
    const { titles, rows } = joinTables(tables, { wide, withNamespace, prefix: resources.length > 1 ? `${resource.singular}/` : '' });
    if (rows.length === 0) continue;
    cli.io.out(`${shown > 0 ? '\n' : ''}${tableText(titles, rows)}`);
    shown += rows.length;
  }
  if (shown === 0)
    cli.narrate.say(
      options.allNamespaces === true
        ? 'nothing found in your namespaces'
        : `nothing found${plane.namespace === null ? '' : ` in namespace ${plane.namespace}`}`,
    );
}

async function pages(plane: Plane, path: string, query: Readonly<Record<string, string>>): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = [];
  let next = '';
  do {
    const page = await plane.call({
      method: 'GET',
      path,
      query: { limit: '500', ...query, ...(next === '' ? {} : { continue: next }) },
      accept: tableAccept,
    });
    found.push(page);
    next = textAt(page, 'metadata', 'continue') ?? '';
  } while (next !== '');
  return found;
}

type Form = Readonly<{ wide: boolean; withNamespace: boolean; prefix: string }>;

function joinTables(
  tables: readonly JsonObject[],
  { wide, withNamespace, prefix }: Form,
): Readonly<{ titles: readonly string[]; rows: readonly (readonly string[])[] }> {
  const columns = objects(at(tables[0] ?? {}, 'columnDefinitions')).map((column, index) => ({
    index,
    title: textAt(column, 'name') ?? '',
    shown: wide || at(column, 'priority') === undefined || at(column, 'priority') === 0,
  }));
  const shown = columns.filter((column) => column.shown);
  const rows = tables
    .flatMap((table) => objects(at(table, 'rows')))
    .map((row) => {
      const cells = at(row, 'cells');
      const texts = shown.map(({ index }) => `${index === 0 ? prefix : ''}${cellText(Array.isArray(cells) ? cells[index] : undefined)}`);
      return withNamespace ? [textAt(row, 'object', 'metadata', 'namespace') ?? '', ...texts] : texts;
    });
  return { titles: [...(withNamespace ? ['namespace'] : []), ...shown.map((column) => column.title)], rows };
}

function cellText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringifyJson(value);
}

/** Null stands for all namespaces, and for resources that have none. */
export function placeOf(plane: Plane, resource: ServedResource, options: GetOptions): string | null {
  if (!resource.namespaced || options.allNamespaces === true) return null;
  return namespaceOf(plane);
}

function queryOf(options: GetOptions): Readonly<Record<string, string>> {
  return {
    ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
}

/** For verbs that need the object to be there. */
export function missing(resource: ServedResource, name: string): ReturnType<typeof refused> {
  return refused(`there is no ${resource.kind} ${JSON.stringify(name)} that you may see`);
}
