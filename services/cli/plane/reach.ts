import { readFile } from 'node:fs/promises';
import type { Cli, ReachOptions } from '#services/cli/cli.ts';
import { runExecPlugin } from '#services/cli/config/exec-plugin.ts';
import { type KubeContext, readKubeContext } from '#services/cli/config/kubeconfig.ts';
import { knownPlane } from '#services/cli/config/plane-file.ts';
import { loginNeeded, reasonOf, refused, unanswered } from '#services/cli/failure.ts';
import { agentFor } from '#services/cli/http/agent.ts';
import { freshToken } from '#services/cli/login/fresh-token.ts';
import { openPlane, type Plane } from '#services/cli/plane/plane.ts';

const pluginTimeoutMs = 60_000;

/**
 * How the plane is reached: a named kubeconfig (WEIR_KUBECONFIG) or context first, then WEIR_TOKEN, then the login of `--server` or WEIR_SERVER, then the current
 * context of the kubeconfig, then the last login. Throws CliFailure: exit 4 when nobody is logged in.
 */
export async function reachPlane(cli: Cli, options: ReachOptions): Promise<Plane> {
  const { env } = cli;
  const server = options.server ?? env.server;
  const file = options.kubeconfig ?? env.planeKubeconfig;
  const named = file !== null || options.context !== undefined;
  const files = file === null ? env.kubeconfigFiles : [file];
  const context = await readKubeContext(files, options.context ?? null, file !== null);
  if (named) {
    if (context === null) throw unanswered(`${files.join(', ')} names no current context`, { next: 'name one with --context' });
    return ofContext(cli, options, context);
  }
  const isOurs = context !== null && (context.name.startsWith('weir/') || context.user.exec?.args[0] === 'get-token');
  // A context of somebody else's cluster says nothing about where WEIR_TOKEN may go.
  if (env.token !== null) return ofToken(cli, options, server, isOurs ? context : null);
  if (context !== null && (server === null || server === context.server) && isOurs) return ofContext(cli, options, context);
  const known = await knownPlane(env, server === null ? null : server.replace(/\/$/, ''));
  if (known !== null) {
    const caPem = (await readCa(cli, options)) ?? known.caPem;
    return open(cli, options, {
      server: known.server,
      caPem,
      namespace: context?.server === known.server ? context.namespace : null,
      token: () => freshToken(cli, known.server),
    });
  }
  if (context !== null && server === null) return ofContext(cli, options, context);
  throw loginNeeded(
    server === null
      ? 'nobody is logged in: run `weir login --server URL`'
      : `nobody is logged in to ${server}: run \`weir login --server ${server}\``,
  );
}

/** WEIR_TOKEN with WEIR_SERVER, or with the plane known from a login or from the current context. */
async function ofToken(cli: Cli, options: ReachOptions, server: string | null, context: KubeContext | null): Promise<Plane> {
  const token = cli.env.token ?? '';
  const known = await knownPlane(cli.env, server === null ? null : server.replace(/\/$/, ''));
  const address = server ?? known?.server ?? context?.server;
  if (address === undefined)
    throw unanswered('WEIR_TOKEN is set, but not for which plane', {
      next: 'set WEIR_SERVER (and WEIR_CA_FILE), or name it with --server',
    });
  const fromContext = context !== null && context.server === address.replace(/\/$/, '') ? context : null;
  const caPem = (await readCa(cli, options)) ?? known?.caPem ?? fromContext?.caPem ?? null;
  return open(cli, options, { server: address, caPem, namespace: fromContext?.namespace ?? null, token: async () => token });
}

async function ofContext(cli: Cli, options: ReachOptions, context: KubeContext): Promise<Plane> {
  if (context.skipsVerification)
    throw refused(
      `the context ${JSON.stringify(context.name)} skips the verification of the plane’s certificate: its token would go to anybody`,
      { next: 'put the plane’s CA into the kubeconfig' },
    );
  const caPem = (await readCa(cli, options)) ?? context.caPem;
  return open(cli, options, {
    server: options.server ?? context.server,
    caPem,
    namespace: context.namespace,
    token: () => tokenOf(cli, context),
  });
}

async function tokenOf(cli: Cli, { name, server, user }: KubeContext): Promise<string> {
  if (user.token !== null) return user.token;
  if (user.exec?.args[0] === 'get-token') return freshToken(cli, server);
  if (user.exec !== null) {
    const { token } = await runExecPlugin(user.exec, { timeoutMs: pluginTimeoutMs }, cli.signal);
    if (token !== null) return token;
  }
  if (user.hasCertificate)
    throw refused(
      `the context ${JSON.stringify(name)} logs in with a client certificate, which a plane does not accept: is it a workload cluster?`,
      { next: 'name a context of the plane with --context, or run `weir login`' },
    );
  throw loginNeeded(`the context ${JSON.stringify(name)} holds no token: run \`weir login --server ${server}\``);
}

type Found = Readonly<{ server: string; caPem: string | null; namespace: string | null; token: () => Promise<string> }>;

function open(cli: Cli, options: ReachOptions, { server, caPem, namespace, token }: Found): Plane {
  return openPlane({
    server: checkServer(server),
    caPem,
    namespace: options.namespace ?? namespace,
    agent: agentFor(caPem),
    token,
    signal: cli.signal,
  });
}

/** An https URL without credentials, path or query; without a trailing slash. */
export function checkServer(text: string): string {
  if (!URL.canParse(text) || !text.startsWith('https://')) throw unanswered(`${JSON.stringify(text)} is no https URL of a plane`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw unanswered('the URL of a plane holds no user, query or fragment');
  return url.href.replace(/\/$/, '');
}

/** The file of `--ca` or WEIR_CA_FILE; null when neither is given. */
export async function readCa(cli: Cli, options: Pick<ReachOptions, 'ca'>): Promise<string | null> {
  const file = options.ca ?? cli.env.caFile;
  if (file === null) return null;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unanswered(`the CA file ${file} could not be read: ${reasonOf(error)}`, {}, { cause: error });
  }
}
