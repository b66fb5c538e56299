import { randomBytes } from 'node:crypto';
import { type Account, type Configuration, type Grant, interactionPolicy, type JWK, type KoaContextWithOIDC } from 'oidc-provider';
import { demoPage, escapeHtml } from '#deploy/local/oidc-pages.ts';
import { memoryAdapter } from '#deploy/local/oidc-store.ts';

export type DemoUser = Readonly<{ id: string; name: string; email: string; groups: readonly string[] }>;

/** The public client of the command line: PKCE with a loopback redirect, or the device flow; refresh tokens rotate. */
export const cliClientId = 'weir-cli';
/** Any port is accepted (RFC 8252, 7.3). */
export const cliRedirectUri = 'http://127.0.0.1/callback';
export const demoScope = 'openid profile email groups offline_access';

export type OidcSettings = Readonly<{
  users: readonly DemoUser[];
  idTokenSeconds: number;
  accessTokenSeconds: number;
  refreshTokenSeconds: number;
  signingKey: JWK;
}>;

/** The whole configuration of the demo provider. */
export function oidcConfiguration(settings: OidcSettings): Configuration {
  const policy = interactionPolicy.base();
  // Our own command line is a first party: nobody is asked whether it may see who they are.
  policy.get('consent')?.checks.remove('native_client_prompt');
  return {
    adapter: memoryAdapter(),
    clients: [
      {
        client_id: cliClientId,
        client_name: 'weir',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: [cliRedirectUri, 'http://localhost/callback'],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [settings.signingKey] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: demoScope.split(' '),
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    // Kubernetes-style clients read everything from the ID token.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    pkce: { required: () => true },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    interactions: { policy, url: (_ctx, interaction) => `/demo-login/${interaction.uid}` },
    findAccount: (_ctx, id) => findAccount(settings.users, id),
    loadExistingGrant: grantEverything,
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = demoPage('This did not work', `<p>${escapeHtml(out.error)}: ${escapeHtml(out.error_description ?? '')}</p>`);
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, ...devicePages },
    },
    ttl: {
      AccessToken: settings.accessTokenSeconds,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: settings.refreshTokenSeconds,
      IdToken: settings.idTokenSeconds,
      Interaction: 600,
      RefreshToken: settings.refreshTokenSeconds,
      Session: 3_600,
    },
  };
}

const devicePages = {
  userCodeInputSource: (ctx: KoaContextWithOIDC, form: string) => {
    ctx.body = demoPage('Enter the code that your terminal shows', `${form}<button form="op.deviceInputForm">Go on</button>`);
  },
  userCodeConfirmSource: (ctx: KoaContextWithOIDC, form: string, _client: unknown, _device: unknown, userCode: string) => {
    const question = `<p>Does your terminal show <strong>${escapeHtml(userCode)}</strong>?</p>`;
    ctx.body = demoPage('Confirm', `${question}${form}<button form="op.deviceConfirmForm">Yes, log that terminal in</button>`);
  },
  successSource: (ctx: KoaContextWithOIDC) => {
    ctx.body = demoPage('Done', '<p>You are logged in; go back to your terminal.</p>');
  },
} as const;

async function grantEverything(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { client, session, provider } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(demoScope);
  await grant.save();
  return grant;
}

async function findAccount(users: readonly DemoUser[], id: string): Promise<Account | undefined> {
  const user = users.find((one) => one.id === id);
  if (user === undefined) return undefined;
  const claims = {
    sub: user.id,
    name: user.name,
    preferred_username: user.id,
    email: user.email,
    email_verified: true,
    groups: [...user.groups],
  };
  return { accountId: user.id, claims: async () => claims };
}
