declare const brand: unique symbol;

/**
 * Who a request is made as. A request can't be made without one, and none can be made from an empty text: a cluster then has
 * nothing to fall back to (threats F3).
 */
export type TenantToken = Readonly<{ is: 'tenant'; account: string; value: string; expiresAtMs: number; [brand]: 'tenant' }>;
/** The plane's standing credential of one cluster. Accepted by `bootstrap.ts` alone: TokenRequest, version, discovery, readiness. */
export type BootstrapToken = Readonly<{ is: 'bootstrap'; account: string; value: string; [brand]: 'bootstrap' }>;
/** The tenant's own client certificate: the connections of its private pool carry it, the request no token. */
export type TenantCertificate = Readonly<{ is: 'certificate'; account: string; [brand]: 'certificate' }>;

export type Credential = TenantToken | BootstrapToken | TenantCertificate;

/** RFC 6750 section 2.1 (b64token), with the length of a real token: no blank, line break or other text gets into the header. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,16384}={0,2}$/;

/** Something to see in it: zero-width characters are no name. */
const NAMED = /[A-Za-z0-9]/;

export function isToken(value: string): boolean {
  return TOKEN.test(value);
}

/** Throws when the token is empty or not the text of a token, or the account is not named. The message never holds the value. */
export function tenantToken(account: string, value: string, expiresAtMs: number): TenantToken {
  check(account, value);
  return Object.freeze({ is: 'tenant', account, value, expiresAtMs }) as TenantToken;
}

/** As tenantToken, for the plane's own account. */
export function bootstrapToken(account: string, value: string): BootstrapToken {
  check(account, value);
  return Object.freeze({ is: 'bootstrap', account, value }) as BootstrapToken;
}

export function tenantCertificate(account: string): TenantCertificate {
  if (!NAMED.test(account)) throw new Error('a certificate belongs to somebody');
  return Object.freeze({ is: 'certificate', account }) as TenantCertificate;
}

function check(account: string, value: string): void {
  if (!NAMED.test(account)) throw new Error('a token belongs to a named account');
  if (!isToken(value)) throw new Error(`the token of ${account.slice(0, 300)} is empty or has characters that no token has`);
}
