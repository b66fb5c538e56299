import { Command } from 'commander';
import type { JsonObject } from '#core/json.ts';
import { textAt } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { durationOf, withOutput, withReach } from '#services/cli/commands/options.ts';
import { unanswered } from '#services/cli/failure.ts';
import { namespaceOf, withPlane } from '#services/cli/plane/with-plane.ts';
import { parseOutput, printValue } from '#services/cli/print/output.ts';

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
  return new Command('token').description('tokens for machines').addCommand(create);
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
    const path = `/apis/weir.dev/v1/namespaces/${encodeURIComponent(namespace)}/accesstokens`;
    const made = await plane.call({ method: 'POST', path, query: { fieldValidation: 'Strict' }, body });
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

function limitOf(text: string): readonly [string, readonly string[]] {
  const equals = text.indexOf('=');
  const asked = text.slice(equals + 1).split(',');
  if (equals < 1 || !asked.every((verb) => verbs.includes(verb)))
    throw unanswered(`--verb ${JSON.stringify(text)}: write types=verbs with verbs of ${verbs.join(', ')}`);
  return [text.slice(0, equals), asked];
}
