import type { Cli } from '#services/cli/cli.ts';
import { withFileLock } from '#services/cli/config/file-lock.ts';
import { type KnownPlane, knownPlane } from '#services/cli/config/plane-file.ts';
import { openTokenStore, type StoredTokens, type TokenStore } from '#services/cli/config/token-store.ts';
import { loginNeeded } from '#services/cli/failure.ts';
import { openProvider, tokensOf } from '#services/cli/login/provider.ts';

const refreshBeforeMs = 30_000;
const lockWaitMs = 20_000;

/** A token of the login that is good for at least 30 s; renewed when it is not. Throws CliFailure: exit 4 when only a new login helps. */
export async function freshToken(cli: Cli, server: string): Promise<string> {
  return (await freshTokens(cli, server)).token;
}

/** As freshToken, with its expiry. One refresh at a time over all processes: refresh tokens are good once. */
export async function freshTokens(cli: Cli, server: string): Promise<StoredTokens> {
  const store = await openTokenStore(cli, server);
  const stored = await mustRead(store, server);
  if (isFresh(stored, cli.clock.nowMs())) return stored;
  return withFileLock(store.lockPath, { waitMs: lockWaitMs, nowMs: () => cli.clock.nowMs() }, async () => {
    const again = await mustRead(store, server);
    // Another process renewed it while this one waited.
    if (isFresh(again, cli.clock.nowMs())) return again;
    const plane = await knownPlane(cli.env, server);
    if (plane === null || again.refreshToken === null)
      throw loginNeeded(`the login to ${server} has expired: run \`weir login --server ${server}\``);
    const renewed = await refresh(cli, plane, again.refreshToken);
    await store.write(renewed);
    return renewed;
  });
}

async function refresh(cli: Cli, plane: KnownPlane, refreshToken: string): Promise<StoredTokens> {
  const provider = await openProvider(cli, { ...plane, caPem: plane.issuerCaPem ?? plane.caPem });
  try {
    return tokensOf(await provider.library.refreshTokenGrant(provider.config, refreshToken), refreshToken);
  } catch (error) {
    if (error instanceof provider.library.ResponseBodyError && error.error === 'invalid_grant')
      throw loginNeeded(`the login to ${plane.server} has expired: run \`weir login --server ${plane.server}\``);
    throw error;
  } finally {
    provider.close();
  }
}

async function mustRead(store: TokenStore, server: string): Promise<StoredTokens> {
  const stored = await store.read();
  if (stored === null) throw loginNeeded(`nobody is logged in to ${server}: run \`weir login --server ${server}\``);
  return stored;
}

function isFresh(tokens: StoredTokens, nowMs: number): boolean {
  return tokens.expiresAtMs - nowMs > refreshBeforeMs;
}
