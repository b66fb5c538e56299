import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { Cli } from '#services/cli/cli.ts';
import type { StoredTokens } from '#services/cli/config/token-store.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import { type LoginSettings, openProvider, tokensOf } from '#services/cli/login/provider.ts';

const timeoutMs = 5 * 60_000;
const host = '127.0.0.1';

/**
 * Authorization code with PKCE (S256), state and nonce; the answer comes to a loopback address of this process (RFC 8252 section 7.3).
 * Only a GET of exactly `/callback` with our state counts. Throws CliFailure.
 */
export async function loginByBrowser(cli: Cli, settings: LoginSettings): Promise<StoredTokens> {
  const provider = await openProvider(cli, settings);
  const loopback = await openLoopback();
  try {
    const { library, config } = provider;
    const verifier = library.randomPKCECodeVerifier();
    const state = library.randomState();
    const nonce = library.randomNonce();
    const url = library.buildAuthorizationUrl(config, {
      redirect_uri: loopback.redirectUri,
      scope: settings.scopes.join(' '),
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    cli.narrate.start('log in in your browser; if none opens, go to:');
    cli.narrate.say(`  ${url.href}`);
    await openInBrowser(cli, url.href);
    const answer = await loopback.answer(state, AbortSignal.any([cli.signal, AbortSignal.timeout(timeoutMs)]));
    const tokens = await library.authorizationCodeGrant(config, answer, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    return tokensOf(tokens, null);
  } catch (error) {
    cli.signal.throwIfAborted();
    if (error instanceof provider.library.AuthorizationResponseError)
      throw refused(`the identity provider refused the login: ${error.error_description ?? error.error}`);
    throw error;
  } finally {
    loopback.close();
    provider.close();
  }
}

type Loopback = Readonly<{ redirectUri: string; answer(state: string, signal: AbortSignal): Promise<URL>; close(): void }>;

async function openLoopback(): Promise<Loopback> {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw unanswered('no port of 127.0.0.1 was free for the login');
  const redirectUri = `http://${host}:${address.port}/callback`;
  const answer = (state: string, signal: AbortSignal): Promise<URL> =>
    new Promise((resolve, reject) => {
      signal.addEventListener(
        'abort',
        () => reject(refused('nobody logged in in time', { next: 'run `weir login` again, or `weir login --method device`' })),
        { once: true },
      );
      server.on('request', (request, reply) => {
        const url = URL.canParse(request.url ?? '', redirectUri) ? new URL(request.url ?? '', redirectUri) : null;
        const isOurs =
          request.method === 'GET' &&
          url !== null &&
          url.origin === new URL(redirectUri).origin &&
          url.pathname === '/callback' &&
          url.searchParams.get('state') === state;
        page(reply, isOurs);
        if (isOurs && url !== null) resolve(url);
      });
    });
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { redirectUri, answer, close };
}

/** The same bytes for everybody: nothing of the request is shown. */
function page(reply: ServerResponse, isOurs: boolean): void {
  const text = isOurs ? 'You are logged in; go back to your terminal.' : 'This is not an answer to a login of weir.';
  reply.writeHead(isOurs ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' });
  reply.end(`${text}\n`);
}

/** Opens the URL; that no browser opens is no failure, since the URL was shown. */
async function openInBrowser(cli: Cli, url: string): Promise<void> {
  const [program, ...args] = cli.env.browser !== null ? [cli.env.browser] : process.platform === 'darwin' ? ['open'] : ['xdg-open'];
  const child = spawn(program ?? 'xdg-open', [...args, url], { stdio: 'ignore', detached: true });
  await new Promise<void>((resolve) => {
    child.once('error', () => {
      cli.narrate.warn('no browser could be opened here');
      resolve();
    });
    child.once('spawn', resolve);
  });
  child.unref();
}
