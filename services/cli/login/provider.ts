import type * as OpenidClient from 'openid-client';
import type { Cli } from '#services/cli/cli.ts';
import type { StoredTokens } from '#services/cli/config/token-store.ts';
import { reasonOf, unanswered } from '#services/cli/failure.ts';
import { agentFor } from '#services/cli/http/agent.ts';
import { httpsFetch } from '#services/cli/login/https-fetch.ts';

/** What the plane says of its identity provider. */
export type LoginSettings = Readonly<{ issuer: string; clientId: string; scopes: readonly string[]; caPem: string | null }>;

export type Provider = Readonly<{ library: typeof OpenidClient; config: OpenidClient.Configuration; close(): void }>;

/** Reads the issuer's metadata; its `issuer` must be the very text that was asked for. Throws CliFailure (exit 2). */
export async function openProvider(cli: Cli, settings: LoginSettings): Promise<Provider> {
  const library = await import('openid-client');
  const agent = agentFor(settings.caPem);
  try {
    const config = await library.discovery(new URL(settings.issuer), settings.clientId, undefined, library.None(), {
      [library.customFetch]: httpsFetch(agent, cli.signal),
    });
    return { library, config, close: () => agent.destroy() };
  } catch (error) {
    agent.destroy();
    cli.signal.throwIfAborted();
    throw unanswered(`the identity provider ${settings.issuer} could not be asked: ${reasonOf(error)}`, {}, { cause: error });
  }
}

type Answer = Readonly<{ id_token?: string; refresh_token?: string; claims(): Readonly<{ exp: number }> | undefined }>;

/** The parts of a token answer that are kept. The ID token is what the plane takes. */
export function tokensOf(answer: Answer, previousRefreshToken: string | null): StoredTokens {
  const claims = answer.claims();
  if (answer.id_token === undefined || claims === undefined)
    throw unanswered('the identity provider gave no ID token', { next: 'the client of the plane must be allowed the scope `openid`' });
  return { token: answer.id_token, expiresAtMs: claims.exp * 1_000, refreshToken: answer.refresh_token ?? previousRefreshToken };
}
