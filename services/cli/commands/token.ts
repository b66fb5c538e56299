import { Command } from 'commander';
import type { JsonObject } from '#core/json.ts';
import { at, isObject, textAt } from '#core/json.ts';
import { parseRfc3339, rfc3339 } from '#core/time.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { durationOf, withOutput, withReach } from '#services/cli/commands/options.ts';
import { confirm } from '#services/cli/confirm.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import { getOrNull, listAll } from '#services/cli/plane/resources.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { ageText } from '#services/cli/print/age.ts';
import { listOf, parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';

const verbs: readonly string[] = Object.freeze(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']);
const dayMs = 86_400_000;
type Options = ReachOptions & Readonly<{ verb: readonly string[]; duration: number; description?: string; output?: string }>;

export function tokenCommand(cli: Cli): Command {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  const create = withOutput(withReach(new Command('create')))
    .description('make a token for a machine; its value is printed once, on stdout, and never shown again')
    .argument('<name>')
    .option(
      '--verb <types=verbs>',
      'what it may do, such as kustomizations=get,list,patch or *=get,list,watch; may be repeated',
      collect,
      [],
    )
    .option('--duration <time>', 'how long it lives, such as 12h or 30d', lifeOf, 30 * dayMs)
    .option('--description <text>', 'what it is for')
    .action(async (name: string, options: Options) => createToken(cli, name, options));
  const list = withOutput(withReach(new Command('list')))
    .description('your tokens of the namespace; an admin sees those of all members. Values are not shown')
    .action(async (options: ReachOptions & Readonly<{ output?: string }>) => listTokens(cli, options));
  const revoke = withReach(new Command('revoke'))
    .description('end tokens now: the next request with one is refused')
    .argument('<names...>')
    .option('--yes', 'do not ask')
    .action(async (names: readonly string[], options: ReachOptions & Readonly<{ yes?: boolean }>) => revokeTokens(cli, names, options));
  return new Command('token').description('tokens for machines').addCommand(create).addCommand(list).addCommand(revoke);
}

/** Days beside the durations of Flux, which have none. */
function lifeOf(text: string): number {
  const days = /^([1-9][0-9]{0,2})d$/.exec(text)?.[1];
  return days === undefined ? durationOf('--duration')(text) : Number(days) * dayMs;
}

async function createToken(cli: Cli, name: string, options: Options): Promise<void> {
  const output = parseOutput(options.output);
  if (options.verb.length === 0)
    throw unanswered('what may the token do?', { next: 'add --verb, such as --verb kustomizations=get,list,patch' });
  const limits: Record<string, readonly string[]> = Object.fromEntries(options.verb.map(limitOf));
  await withPlane(cli, options, async (plane) => {
    const namespace = namespaceOf(plane);
    const body: JsonObject = {
      apiVersion: 'weir.dev/v1',
      kind: 'AccessToken',
      metadata: { name, namespace },
      spec: {
        verbs: limits,
        expiresAt: rfc3339(cli.clock.nowMs() + options.duration),
        ...(options.description === undefined ? {} : { description: options.description }),
      },
    };
    const made = await plane.call({ method: 'POST', path: tokensPath(namespace), query: { fieldValidation: 'Strict' }, body });
    const token = textAt(made, 'status', 'token');
    if (token === undefined)
      throw unanswered('the plane made the token but did not show it', {
        next: `weir delete accesstoken ${name} -n ${namespace} --yes, then make it again`,
      });
    cli.narrate.done(
      `AccessToken/${namespace}/${name} created, good until ${textAt(made, 'spec', 'expiresAt') ?? ''}; keep it now, it is not shown again`,
    );
    printValue(cli.io, output, made, () => `${token}\n`);
  });
}

async function listTokens(cli: Cli, options: ReachOptions & Readonly<{ output?: string }>): Promise<void> {
  const output = parseOutput(options.output);
  await withPlane(cli, options, async (plane) => {
    const { items } = await listAll(plane, tokensPath(namespaceOf(plane)));
    printValue(cli.io, output, listOf(items), (wide) => tokenTable(cli, items, wide));
    if (items.length === 0) cli.narrate.say('no tokens; make one with weir token create NAME --verb …');
  });
}

function tokenTable(cli: Cli, items: readonly JsonObject[], wide: boolean): string {
  const rows = items.map((one) => {
    const expiresAt = textAt(one, 'spec', 'expiresAt') ?? '';
    const leftMs = (parseRfc3339(expiresAt) ?? 0) - cli.clock.nowMs();
    const left = leftMs <= 0 ? 'ended' : cli.io.outIsTerminal ? `in ${ageText(leftMs)}` : expiresAt;
    const verbs = at(one, 'spec', 'verbs');
    return [
      textAt(one, 'metadata', 'name') ?? '',
      textAt(one, 'status', 'prefix') ?? '',
      left,
      ...(wide
        ? [
            isObject(verbs)
              ? Object.entries(verbs)
                  .map(([types, list]) => `${types}=${Array.isArray(list) ? list.filter((one) => typeof one === 'string').join(',') : ''}`)
                  .join(' ')
              : '',
          ]
        : []),
      textAt(one, 'spec', 'description') ?? '',
    ];
  });
  return tableText(['name', 'prefix', 'expires', ...(wide ? ['verbs'] : []), 'description'], rows);
}

async function revokeTokens(cli: Cli, names: readonly string[], options: ReachOptions & Readonly<{ yes?: boolean }>): Promise<void> {
  await withPlane(cli, options, async (plane) => {
    const namespace = namespaceOf(plane);
    const found: string[] = [];
    for (const name of names) {
      const path = `${tokensPath(namespace)}/${encodeURIComponent(name)}`;
      if ((await getOrNull(plane, path)) === null)
        throw refused(`AccessToken/${namespace}/${name} is not there, or you may not see it`, { next: `weir token list -n ${namespace}` });
      found.push(path);
    }
    await confirm(cli, options.yes === true, `Revoke ${names.map((name) => `AccessToken/${namespace}/${name}`).join(', ')}?`);
    for (const path of found) await plane.call({ method: 'DELETE', path });
    for (const name of names) cli.io.out(`accesstoken.weir.dev/${name} revoked\n`);
  });
}

function tokensPath(namespace: string): string {
  return `/apis/weir.dev/v1/namespaces/${encodeURIComponent(namespace)}/accesstokens`;
}

function limitOf(text: string): readonly [string, readonly string[]] {
  const equals = text.indexOf('=');
  const asked = text.slice(equals + 1).split(',');
  if (equals < 1 || !asked.every((verb) => verbs.includes(verb)))
    throw unanswered(`--verb ${JSON.stringify(text)}: write types=verbs with verbs of ${verbs.join(', ')}`);
  return [text.slice(0, equals), asked];
}
