import { at, type JsonObject, textAt } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import { unanswered } from '#services/cli/failure.ts';
import { agentFor } from '#services/cli/http/agent.ts';
import { openPlane } from '#services/cli/plane/plane.ts';

const maxScopes = 32;
const maxText = 262_144;

export type PlaneInfo = Readonly<{
  server: string;
  issuer: string;
  clientId: string;
  scopes: readonly string[];
  issuerCaPem: string | null;
}>;

/** How to log in to a plane: what it says itself, over a verified connection and without a login. Throws CliFailure (exit 2). */
export async function askPlaneInfo(cli: Cli, server: string, caPem: string | null): Promise<PlaneInfo> {
  const plane = openPlane({ server, caPem, namespace: null, agent: agentFor(caPem), token: null, signal: cli.signal });
  try {
    const body = await plane.call({ method: 'GET', path: '/.well-known/weir-configuration' });
    return infoOf(body, server);
  } finally {
    plane.close();
  }
}

function infoOf(body: JsonObject, server: string): PlaneInfo {
  const issuer = textAt(body, 'oidc', 'issuer');
  const clientId = textAt(body, 'oidc', 'clientId');
  const scopes = at(body, 'oidc', 'scopes');
  const issuerCaPem = textAt(body, 'oidc', 'certificateAuthority') ?? null;
  const isWhole = issuer !== undefined && clientId !== undefined && Array.isArray(scopes);
  if (!isWhole || scopes.length > maxScopes || issuer.length + clientId.length + (issuerCaPem ?? '').length > maxText)
    throw unanswered(`${server} does not say how to log in: it may be no Weir, or a much newer one`);
  if (!issuer.startsWith('https://')) throw unanswered(`the identity provider of ${server} is not reached over https`);
  return { server, issuer, clientId, scopes: scopes.filter((one) => typeof one === 'string'), issuerCaPem };
}
