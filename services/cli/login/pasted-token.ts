import type { Cli } from '#services/cli/cli.ts';
import type { StoredTokens } from '#services/cli/config/token-store.ts';
import { refused, unanswered } from '#services/cli/failure.ts';
import { claimsOf } from '#services/cli/login/claims.ts';

const maxBytes = 32_768;
const bearer = /^[A-Za-z0-9\-._~+/]+=*$/;
/** A token that does not tell its end is asked about at the plane each time anyway. */
const unknownLifeMs = 365 * 86_400_000;

/** A token from WEIR_TOKEN or the standard input, never from an argument, where other users could read it. Not renewed. Throws CliFailure. */
export async function loginByToken(cli: Cli): Promise<StoredTokens> {
  const token = (cli.env.token ?? (await cli.io.readInput(maxBytes))).trim();
  if (!bearer.test(token))
    throw unanswered('no token came in', { next: 'set WEIR_TOKEN, or pipe the token in: weir login --method token < FILE' });
  const end = claimsOf(token)?.['exp'];
  const expiresAtMs = typeof end === 'number' ? end * 1_000 : cli.clock.nowMs() + unknownLifeMs;
  if (expiresAtMs <= cli.clock.nowMs()) throw refused('this token has expired');
  return { token, expiresAtMs, refreshToken: null };
}
