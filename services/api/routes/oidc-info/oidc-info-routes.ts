import type { JsonObject } from '#core/json.ts';
import { jsonAnswer } from '#services/api/wire/call.ts';
import type { Route } from '#services/api/wire/route.ts';

/** What `weir login --server <url>` needs to know. Nothing in it is secret. */
export type LoginInfo = Readonly<{
  /** Base URL of the API. */
  server: string;
  issuer: string;
  clientId: string;
  scopes: readonly string[];
  /** PEM of the authority that signed the issuer’s certificate; null: the system’s authorities. */
  issuerCaPem: string | null;
  /** PEM of the authority that signed the API’s certificate, for the kubeconfig; null: the system’s authorities. */
  serverCaPem: string | null;
}>;

/** `GET /.well-known/weir-configuration`: how to log in. */
export function oidcInfoRoutes(info: LoginInfo): readonly Route[] {
  const value: JsonObject = Object.freeze({
    server: info.server,
    oidc: { issuer: info.issuer, clientId: info.clientId, scopes: [...info.scopes], certificateAuthority: info.issuerCaPem },
    certificateAuthority: info.serverCaPem,
  });
  return [
    {
      method: 'GET',
      url: '/.well-known/weir-configuration',
      permission: { is: 'public', because: 'whoever logs in has no token yet; issuer, client id and certificates are public' },
      audit: 'login-info',
      handler: async () => jsonAnswer(200, value),
    },
  ];
}
