/**
 * Names under which a secret could reach a log line. pino's `*.password` looks one level deep only (libraries.md section 13), so every name is listed for the levels
 * that facts have here: at the top, in one object, and in an object inside it.
 */
export const secretNames: readonly string[] = Object.freeze([
  'authorization',
  'Authorization',
  'password',
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'idToken',
  'id_token',
  'bearerToken',
  'secret',
  'clientSecret',
  'client_secret',
  'data',
  'stringData',
  'kubeconfig',
  'cookie',
  'credential',
  'privateKey',
  'keyPem',
  'dek',
  'kek',
  'webhookPath',
  'databaseUrl',
  'redisUrl',
]);

export const censored = '[redacted]';

const separated: readonly string[] = Object.freeze([
  'x-gitlab-token',
  'x-hub-signature',
  'x-hub-signature-256',
  'x-signature',
  'set-cookie',
]);

/** Paths for pino's `redact`. */
export function redactionPaths(): readonly string[] {
  const dotted = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  const bracketed = separated.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  return Object.freeze([...dotted, ...bracketed]);
}

const shapes: readonly (readonly [RegExp, string])[] = Object.freeze([
  [/weir_[a-z2-7]{16}_[A-Za-z0-9_-]{43}/g, '[weir token]'],
  [/eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, '[jwt]'],
  [/\/hook\/[0-9a-f]{64}/g, '/hook/[digest]'],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1[credentials]@'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9\-._~+/]{8,}=*/gi, '$1 [redacted]'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '[private key]'],
]);

/** Text without what looks like a credential: for error messages and stacks, which name no field. Pure. */
export function redactText(text: string): string {
  let clean = text;
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
  return clean;
}
