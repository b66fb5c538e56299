import { Command, Option } from 'commander';
import type { JsonObject } from '#core/json.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { getCommand } from '#services/cli/commands/get.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { unanswered } from '#services/cli/failure.ts';
import { label } from '#services/cli/onboard/wish.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { isStatus } from '#services/cli/plane/status-failure.ts';
import { withPlane } from '#services/cli/plane/with-plane.ts';
import { nameOf, parseOutput, printValue } from '#services/cli/print/output.ts';

type Options = ReachOptions &
  Readonly<{
    displayName?: string;
    namespaces: readonly string[];
    prefixes: readonly string[];
    member: readonly string[];
    group: readonly string[];
    createNamespaces: boolean;
    dryRun?: string;
    output?: string;
  }>;
const roles: readonly string[] = Object.freeze(['viewer', 'editor', 'admin']);

export function tenantCommand(cli: Cli): Command {
  const get = getCommand(cli);
  const view = withOutput(withReach(new Command('get')))
    .description('your tenants; platform admins see all')
    .argument('[names...]')
    .action(async (names: readonly string[], options: ReachOptions & Readonly<{ output?: string }>) => {
      await get.parseAsync(['tenants', ...names, ...flagsOf(options)], { from: 'user' });
    });
  return new Command('tenant').description('tenants of the plane').addCommand(createCommand(cli)).addCommand(view);
}

/** The same options again, for `weir get tenants`. */
export function flagsOf(options: ReachOptions & Readonly<{ output?: string }>): readonly string[] {
  const { server, ca, kubeconfig, context, namespace, output } = options;
  return Object.entries({ server, ca, kubeconfig, context, namespace, output }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
}

function createCommand(cli: Cli): Command {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  return withOutput(withReach(new Command('create')))
    .description('make a tenant with its namespaces and members (platform admins)')
    .argument('<name>')
    .option('--display-name <text>', 'name for people')
    .option(
      '--namespaces <list>',
      'exact names of namespaces of the plane; default: the name of the tenant',
      listOfNames('--namespaces'),
      [],
    )
    .option('--prefixes <list>', 'beginnings of names, such as acme-', (text: string) => text.split(',').filter((one) => one !== ''), [])
    .option(
      '--member <subject=role>',
      'a person by the subject of the identity provider, and viewer, editor or admin; may be repeated',
      collect,
      [],
    )
    .option('--group <name=role>', 'a group of the identity provider; may be repeated', collect, [])
    .option('--no-create-namespaces', 'do not make the namespaces now')
    .addOption(new Option('--dry-run <how>', 'try only').choices(['server']))
    .action(async (name: string, options: Options) => withPlane(cli, options, (plane) => create(cli, plane, name, options)));
}

function listOfNames(flag: string): (text: string) => readonly string[] {
  return (text) =>
    text
      .split(',')
      .filter((one) => one !== '')
      .map((one) => label(one, flag, 'a namespace'));
}

async function create(cli: Cli, plane: Plane, name: string, options: Options): Promise<void> {
  const output = parseOutput(options.output);
  const names = options.namespaces.length === 0 ? [label(name, 'tenant create', 'a tenant')] : options.namespaces;
  const query = { fieldValidation: 'Strict', fieldManager: 'weir-tenant', ...(options.dryRun === undefined ? {} : { dryRun: 'All' }) };
  const tenant = await plane.call({ method: 'POST', path: '/apis/weir.dev/v1/tenants', query, body: tenantOf(name, names, options) });
  const tell = (text: string): void => (output.as === 'table' || output.as === 'wide' ? cli.io.out(`${text}\n`) : cli.narrate.done(text));
  tell(`${nameOf(tenant)} created${options.dryRun === undefined ? '' : ' (server dry run)'}`);
  if (options.createNamespaces && options.dryRun === undefined) await createNamespaces(cli, plane, names, tell);
  if (output.as !== 'table' && output.as !== 'wide') printValue(cli.io, output, tenant, () => '');
}

/** Namespaces belong to the tenant's admins; a platform admin who is no member leaves them to them. */
async function createNamespaces(cli: Cli, plane: Plane, names: readonly string[], tell: (text: string) => void): Promise<void> {
  for (const name of names) {
    try {
      await plane.call({
        method: 'POST',
        path: '/api/v1/namespaces',
        query: { fieldValidation: 'Strict' },
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      });
      tell(`namespace/${name} created`);
    } catch (error) {
      if (!isStatus(error, 403)) throw error;
      cli.narrate.say(`namespace ${name} is left to an admin of the tenant: kubectl create namespace ${name}`);
    }
  }
}

function tenantOf(name: string, names: readonly string[], options: Options): JsonObject {
  const members = options.member.map((text) => pair(text, '--member')).map(([subject, role]) => ({ subject, role }));
  const groups = options.group.map((text) => pair(text, '--group')).map(([oidcGroup, role]) => ({ oidcGroup, role }));
  return {
    apiVersion: 'weir.dev/v1',
    kind: 'Tenant',
    metadata: { name },
    spec: {
      ...(options.displayName === undefined ? {} : { displayName: options.displayName }),
      namespaces: { names, ...(options.prefixes.length === 0 ? {} : { prefixes: options.prefixes }) },
      ...(members.length === 0 ? {} : { members }),
      ...(groups.length === 0 ? {} : { groups }),
    },
  };
}

/** The last `=` divides: subjects and groups may hold one. */
function pair(text: string, flag: string): readonly [string, string] {
  const equals = text.lastIndexOf('=');
  const role = text.slice(equals + 1);
  if (equals < 1 || !roles.includes(role))
    throw unanswered(`${flag} ${JSON.stringify(text)}: write name=role with viewer, editor or admin`);
  return [text.slice(0, equals), role];
}
