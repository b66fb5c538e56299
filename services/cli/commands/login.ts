import { Command, Option } from 'commander';
import { type JsonObject, textAt } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import { type PlaneContext, writePlaneContexts } from '#services/cli/config/kubeconfig-write.ts';
import { knownPlane, rememberPlane } from '#services/cli/config/plane-file.ts';
import { openTokenStore, type StoredTokens } from '#services/cli/config/token-store.ts';
import { unanswered } from '#services/cli/failure.ts';
import { agentFor } from '#services/cli/http/agent.ts';
import { loginByBrowser } from '#services/cli/login/browser.ts';
import { loginByDevice } from '#services/cli/login/device.ts';
import { loginByToken } from '#services/cli/login/pasted-token.ts';
import { askPlaneInfo } from '#services/cli/login/plane-info.ts';
import type { LoginSettings } from '#services/cli/login/provider.ts';
import { openPlane, type Plane } from '#services/cli/plane/plane.ts';
import { checkServer, readCa } from '#services/cli/plane/reach.ts';
import { listAll } from '#services/cli/plane/resources.ts';
import { isStatus } from '#services/cli/plane/status-failure.ts';

type Options = Readonly<{ server?: string; ca?: string; method?: 'browser' | 'device' | 'token'; secureStorage?: boolean }>;

export function loginCommand(cli: Cli): Command {
  return new Command('login')
    .description('log in by the identity provider of the plane, and write kubeconfig contexts for your namespaces')
    .option('--server <url>', 'the plane (WEIR_SERVER); default: the one of the last login')
    .option('--ca <file>', 'PEM file of the authority that signed its certificate (WEIR_CA_FILE)')
    .addOption(new Option('--method <how>', 'default: browser, or device where there is none').choices(['browser', 'device', 'token']))
    .option('--secure-storage', 'keep the login in a keychain or not at all')
    .action(async (options: Options) => login(cli, options));
}

async function login(cli: Cli, options: Options): Promise<void> {
  const known = await knownPlane(cli.env, null);
  const named = options.server ?? cli.env.server ?? known?.server;
  if (named === undefined) throw unanswered('which plane?', { next: 'weir login --server https://…' });
  const server = checkServer(named);
  const caPem = (await readCa(cli, options)) ?? (await knownPlane(cli.env, server))?.caPem ?? null;
  const info = await askPlaneInfo(cli, server, caPem);
  const settings: LoginSettings = { issuer: info.issuer, clientId: info.clientId, scopes: info.scopes, caPem: info.issuerCaPem ?? caPem };
  const store = await openTokenStore(cli, server, options.secureStorage === true);
  const tokens = await obtain(cli, options, settings);
  const plane = openPlane({ server, caPem, namespace: null, agent: agentFor(caPem), token: async () => tokens.token, signal: cli.signal });
  try {
    // Before anything is kept: a token that the plane does not take is no login.
    const contexts = await contextsOf(plane);
    await store.write(tokens);
    await rememberPlane(cli.env, {
      server,
      caPem,
      issuer: info.issuer,
      clientId: info.clientId,
      scopes: [...info.scopes],
      issuerCaPem: info.issuerCaPem,
    });
    await tellContexts(cli, server, caPem, contexts);
  } finally {
    plane.close();
  }
}

async function obtain(cli: Cli, options: Options, settings: LoginSettings): Promise<StoredTokens> {
  switch (options.method ?? (cli.env.headless ? 'device' : 'browser')) {
    case 'browser':
      return loginByBrowser(cli, settings);
    case 'device':
      return loginByDevice(cli, settings);
    case 'token':
      return loginByToken(cli);
  }
}

/** One context per namespace that the user sees, named by its tenant. */
export async function contextsOf(plane: Plane): Promise<readonly PlaneContext[]> {
  return (await visibleNamespaces(plane)).map((one) => {
    const namespace = textAt(one, 'metadata', 'name') ?? '';
    return { name: `weir/${textAt(one, 'metadata', 'labels', 'toolkit.fluxcd.io/tenant') ?? namespace}/${namespace}`, namespace };
  });
}

/** A list of namespaces is refused to who sees none: a good login all the same. */
async function visibleNamespaces(plane: Plane): Promise<readonly JsonObject[]> {
  try {
    return (await listAll(plane, '/api/v1/namespaces')).items;
  } catch (error) {
    if (isStatus(error, 403)) return [];
    throw error;
  }
}

async function tellContexts(cli: Cli, server: string, caPem: string | null, contexts: readonly PlaneContext[]): Promise<void> {
  const [file] = cli.env.kubeconfigFiles;
  if (file === undefined) throw unanswered('KUBECONFIG names no file');
  await writePlaneContexts(file, { server, caPem, program: cli.program, contexts, current: contexts[0]?.name ?? null });
  cli.narrate.done(`logged in to ${server}`);
  if (contexts.length === 0)
    cli.narrate.warn('you see no namespace yet: an admin of a tenant adds you, or a platform admin makes a tenant (`weir tenant create`)');
  for (const context of contexts) cli.narrate.say(`  context ${context.name}`);
  cli.narrate.say('for flux, so that it asks the namespace of the context:');
  cli.io.out(`${fluxLine}\n`);
}

/** Without it flux asks namespace flux-system (kube-api.md T1). */
export const fluxLine = 'export FLUX_NS_FOLLOWS_KUBE_CONTEXT=1';
