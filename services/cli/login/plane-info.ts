import Type from 'typebox';
import Value from 'typebox/value';
import type { Cli } from '#services/cli/cli.ts';
import { unanswered } from '#services/cli/failure.ts';
import { agentFor } from '#services/cli/http/agent.ts';
import { openPlane } from '#services/cli/plane/plane.ts';

const Text = Type.String({ maxLength: 4_096 });
const Pem = Type.Union([Type.String({ maxLength: 262_144 }), Type.Null()]);
const Info = Type.Object({
  server: Text,
  certificateAuthority: Pem,
  oidc: Type.Object({ issuer: Text, clientId: Text, scopes: Type.Array(Text, { maxItems: 32 }), certificateAuthority: Pem }),
});
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
    if (!Value.Check(Info, body)) throw unanswered(`${server} does not say how to log in: it may be no Weir, or a much newer one`);
    const { issuer, clientId, scopes, certificateAuthority } = body.oidc;
    if (!issuer.startsWith('https://')) throw unanswered(`the identity provider of ${server} is not reached over https`);
    return { server, issuer, clientId, scopes, issuerCaPem: certificateAuthority };
  } finally {
    plane.close();
  }
}
