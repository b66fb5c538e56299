import { createServer, type Server } from 'node:https';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { createFetchText } from '#adapters/oidc/fetch-text.ts';
import { createOidcVerifier, type OidcAlgorithm, type OidcVerifier } from '#adapters/oidc/verify.ts';
import { createAuthority, issueCertificate } from '#adapters/x509/issue.ts';
import type { Clock } from '#core/time.ts';

/** A real https issuer whose private keys the test holds: it can make the wrong tokens that no honest provider would. */
export type SigningIssuer = Readonly<{
  issuer: string;
  clock: Clock & { advance(ms: number): void };
  /** Requests for the key set so far. */
  keySetReads(): number;
  publish(keys: readonly JWK[]): void;
  serveMetadata(change: Readonly<Record<string, unknown>>): void;
  breakDown(broken: boolean): void;
  verifier(algorithms?: readonly OidcAlgorithm[]): OidcVerifier;
  close(): Promise<void>;
}>;

export const audience = 'weir-cli';

export async function startSigningIssuer(): Promise<SigningIssuer> {
  const startMs = Date.now();
  let offsetMs = 0;
  const clock = { nowMs: () => startMs + offsetMs, random: () => 0.5, advance: (ms: number) => void (offsetMs += ms) };
  const authority = await createAuthority({ commonName: 'test authority', validMs: 3_600_000, nowMs: startMs });
  const leaf = await issueCertificate(authority, {
    commonName: 'issuer',
    usage: 'server',
    names: ['localhost'],
    addresses: ['127.0.0.1'],
    validMs: 3_600_000,
    nowMs: startMs,
  });
  const state = { keys: [] as readonly JWK[], metadata: {} as Readonly<Record<string, unknown>>, reads: 0, broken: false };
  let issuer = '';
  const server = createServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (request, response) => {
    if (state.broken) return void response.writeHead(500).end('no');
    if (request.url === '/jwks') state.reads += 1;
    const body = request.url === '/jwks' ? { keys: state.keys } : { issuer, jwks_uri: `${issuer}/jwks`, ...state.metadata };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  issuer = `https://localhost:${await listen(server)}`;
  const fetching = createFetchText({ caPem: authority.certificatePem, lookup: null, userAgent: 'weir/test' });
  return {
    issuer,
    clock,
    keySetReads: () => state.reads,
    publish: (keys) => void (state.keys = keys),
    serveMetadata: (change) => void (state.metadata = change),
    breakDown: (broken) => void (state.broken = broken),
    verifier: (algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA']) =>
      createOidcVerifier({
        issuer,
        audiences: [audience, 'weir-console'],
        algorithms,
        groupsClaim: 'groups',
        fetchText: fetching.fetchText,
        clock,
      }),
    close: async () => {
      await fetching.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

export type TestKey = Readonly<{ kid: string; alg: string; privateKey: CryptoKey; publicJwk: JWK }>;

export async function newKey(alg: string, kid: string): Promise<TestKey> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey: pair.privateKey, publicJwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } };
}

/** The claims of a good ID token at this moment; a change with `undefined` leaves a claim out. */
export function goodClaims(issuer: string, nowMs: number, change: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const nowSeconds = Math.floor(nowMs / 1_000);
  const claims: Record<string, unknown> = {
    iss: issuer,
    sub: 'user-1',
    aud: audience,
    iat: nowSeconds,
    exp: nowSeconds + 600,
    email: 'jane@acme.test',
    email_verified: true,
    groups: ['acme-dev'],
    ...change,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

export function sign(key: TestKey, claims: JWTPayload, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }).sign(key.privateKey);
}

export function segment(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}
