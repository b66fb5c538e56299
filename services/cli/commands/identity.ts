import { Command } from 'commander';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { fluxLine } from '#services/cli/commands/login.ts';
import { withOutput, withReach } from '#services/cli/commands/options.ts';
import { readKubeContext } from '#services/cli/config/kubeconfig.ts';
import { removePlaneContexts, setCurrentContext } from '#services/cli/config/kubeconfig-write.ts';
import { forgetPlane, knownPlane } from '#services/cli/config/plane-file.ts';
import { openTokenStore } from '#services/cli/config/token-store.ts';
import { loginNeeded, unanswered } from '#services/cli/failure.ts';
import { freshTokens } from '#services/cli/login/fresh-token.ts';
import { listAll } from '#services/cli/plane/resources.ts';
import { withPlane } from '#services/cli/plane/with-plane.ts';
import { parseOutput, printValue } from '#services/cli/print/output.ts';
import { tableText } from '#services/cli/print/table.ts';

type Server = Readonly<{ server?: string }>;

export function logoutCommand(cli: Cli): Command {
  return new Command('logout')
    .description('forget the login and its kubeconfig contexts')
    .option('--server <url>', 'the plane (WEIR_SERVER); default: that of the login')
    .action(async (options: Server) => {
      const server = await serverOf(cli, options);
      const store = await openTokenStore(cli, server);
      await store.remove();
      const [file] = cli.env.kubeconfigFiles;
      if (file !== undefined) await removePlaneContexts(file, server);
      await forgetPlane(cli.env, server);
      cli.narrate.done(`logged out of ${server}`);
    });
}

/** Prints an ExecCredential and nothing else on stdout: kubectl reads it (kube-api.md 6.3). Never asks anything. */
export function getTokenCommand(cli: Cli): Command {
  return new Command('get-token')
    .description('print a token as a credential plugin of kubectl does')
    .option('--server <url>', 'the plane (WEIR_SERVER); default: that of the login')
    .action(async (options: Server) => {
      const tokens = await freshTokens(cli, await serverOf(cli, options));
      const status = { token: tokens.token, expirationTimestamp: rfc3339(tokens.expiresAtMs) };
      cli.io.out(`${JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })}\n`);
    });
}

async function serverOf(cli: Cli, options: Server): Promise<string> {
  const named = options.server ?? cli.env.server;
  const known = await knownPlane(cli.env, named === null ? null : named.replace(/\/$/, ''));
  if (known === null)
    throw loginNeeded(
      named === null
        ? 'nobody is logged in: run `weir login --server URL`'
        : `nobody is logged in to ${named}: run \`weir login --server ${named}\``,
    );
  return known.server;
}

export function whoamiCommand(cli: Cli): Command {
  return withOutput(withReach(new Command('whoami').description('who you are to the plane, and the tenants you see'))).action(
    async (options: ReachOptions & Readonly<{ output?: string }>) => {
      const output = parseOutput(options.output);
      await withPlane(cli, options, async (plane) => {
        const [claims, tenants, namespaces] = await Promise.all([
          plane.claims(),
          listAll(plane, '/apis/weir.dev/v1/tenants'),
          listAll(plane, '/api/v1/namespaces'),
        ]);
        const names = (items: readonly JsonObject[]): readonly string[] => items.map((one) => textAt(one, 'metadata', 'name') ?? '');
        const who = {
          kind: 'Identity',
          plane: plane.server,
          subject: textAt(claims ?? {}, 'sub') ?? null,
          name: textAt(claims ?? {}, 'email') ?? textAt(claims ?? {}, 'name') ?? null,
          groups: at(claims ?? {}, 'groups') ?? [],
          tenants: names(tenants.items),
          namespaces: names(namespaces.items),
        };
        const rows = Object.entries(who)
          .slice(1)
          .map(([field, value]) => [field, Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : '']);
        printValue(
          cli.io,
          output,
          who,
          () => tableText(['field', 'value'], rows),
          () => [who.subject ?? ''],
        );
      });
    },
  );
}

/** Contexts of the kubeconfig are the contexts: there is no second notion of a current project (cli-console 1.2). */
export function useCommand(cli: Cli): Command {
  return new Command('use')
    .description('switch the kubeconfig to a namespace of a tenant')
    .argument('<tenant>[/<namespace>]', 'as in the context weir/<tenant>/<namespace>')
    .action(async (place: string) => {
      const name = `weir/${place.includes('/') ? place : `${place}/${place}`}`;
      const [file] = cli.env.kubeconfigFiles;
      if (file === undefined) throw unanswered('KUBECONFIG names no file');
      await readKubeContext([file], name, true);
      await setCurrentContext(file, name);
      cli.narrate.done(`current context: ${name}`);
    });
}

export function envCommand(cli: Cli): Command {
  return new Command('env')
    .description('print the line for your shell start file that makes flux follow the context')
    .action(() => cli.io.out(`${fluxLine}\n`));
}
