import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';
import type { KeyAndCertificate } from '#adapters/x509/issue.ts';
import { localServerCertificate } from '#deploy/local/certificates.ts';
import { approveDevice, logIn, type TokenAnswer } from '#deploy/local/oidc-login.ts';
import { loginPage } from '#deploy/local/oidc-pages.ts';
import { cliClientId, type DemoUser, demoScope, oidcConfiguration } from '#deploy/local/oidc-settings.ts';

export type OidcOptions = Readonly<{
  authority: KeyAndCertificate;
  users: readonly DemoUser[];
  /** Default one hour. */
  idTokenSeconds?: number;
  /** Default one day. */
  refreshTokenSeconds?: number;
  /** The issuer's name holds it; default any free one. */
  port?: number;
}>;

export type OidcServer = Readonly<{
  /** https://127.0.0.1:PORT */
  issuer: string;
  clientId: string;
  users: readonly DemoUser[];
  /** Drives the real code flow as that user (their `id`) and returns the tokens. */
  loginAs(user: string): Promise<TokenAnswer>;
  /** Answers a running device flow as that user. */
  approveDevice(userCode: string, user: string): Promise<void>;
  /**
   * Any claims, signed with the provider's own key: for tests of wrong issuers, audiences and times. Sets nothing by itself.
   * `header` is put over `{alg, kid, typ}`.
   */
  signToken(claims: JWTPayload, header?: Readonly<{ kid?: string; typ?: string }>): Promise<string>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const host = '127.0.0.1';
const algorithm = 'ES256';
const keyId = 'demo';
const loginPath = /^\/demo-login\/[A-Za-z0-9_-]{1,100}$/;
const maxFormBytes = 4_096;

/** A real OpenID provider in this process, on the given or a free port of 127.0.0.1, in which everybody may log in as anybody: demo and tests only. */
export async function startOidcServer(options: OidcOptions): Promise<OidcServer> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const certificate = await localServerCertificate(options.authority, 'demo identity provider');
  const server = createServer({ cert: certificate.certificatePem, key: certificate.keyPem });
  const issuer = `https://${host}:${await listen(server, options.port ?? 0)}`;
  const provider = new Provider(
    issuer,
    oidcConfiguration({
      users: options.users,
      idTokenSeconds: options.idTokenSeconds ?? 3_600,
      accessTokenSeconds: 3_600,
      refreshTokenSeconds: options.refreshTokenSeconds ?? 86_400,
      signingKey: { ...(await exportJWK(privateKey)), use: 'sig', alg: algorithm, kid: keyId },
    }),
  );
  const callback = provider.callback();
  server.on('request', (request: IncomingMessage, reply: ServerResponse) => {
    const isLogin = loginPath.test(new URL(request.url ?? '/', issuer).pathname);
    const handled = isLogin ? showLogin(provider, options.users, request, reply) : callback(request, reply);
    handled.catch((error: unknown) => {
      if (!reply.headersSent) reply.writeHead(400, { 'content-type': 'text/plain' });
      reply.end(`${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  const caPem = options.authority.certificatePem;
  return Object.freeze({
    issuer,
    clientId: cliClientId,
    users: options.users,
    loginAs: (user: string) => logIn(issuer, caPem, user),
    approveDevice: (userCode: string, user: string) => approveDevice(issuer, caPem, userCode, user),
    signToken: (claims: JWTPayload, header: Readonly<{ kid?: string; typ?: string }> = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT', ...header }).sign(privateKey),
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

/** GET shows the users, POST logs one in; a client that asks for consent has it. */
async function showLogin(provider: Provider, users: readonly DemoUser[], request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const interaction = await provider.interactionDetails(request, reply);
  if (interaction.prompt.name === 'consent') {
    const accountId = interaction.session?.accountId;
    if (accountId === undefined) throw new Error('nobody is logged in yet');
    const grant = new provider.Grant({ clientId: cliClientId, accountId });
    grant.addOIDCScope(demoScope);
    return provider.interactionFinished(request, reply, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }
  if (request.method !== 'POST') {
    reply.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(loginPage(users));
    return;
  }
  const user = new URLSearchParams(await readForm(request)).get('user') ?? '';
  if (!users.some((one) => one.id === user)) throw new Error(`there is no demo user ${user}`);
  await provider.interactionFinished(request, reply, { login: { accountId: user } }, { mergeWithLastSubmission: false });
}

async function readForm(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > maxFormBytes) throw new Error(`the form is above ${maxFormBytes} bytes`);
  }
  return text;
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the identity provider got no port');
  return address.port;
}
