import { readFile } from 'node:fs/promises';
import type { Config } from '#core/config.ts';
import { requiredIssuer } from '#core/config-shared.ts';

/** Who says who people are. */
export type Login = Readonly<{
  issuer: string;
  clientId: string;
  scopes: readonly string[];
  /** PEM of the authority of the issuer's certificate; null: the system's. */
  caPem: string | null;
  platformAdminGroup: string | null;
  /** True for a provider in this very process, which stands on a private address. */
  demo: boolean;
}>;

/** The configured issuer. Throws ConfigError when there is none. */
export async function configuredLogin(config: Config): Promise<Login> {
  const issuer = requiredIssuer(config);
  const caPem = config.oidcCaFile === null ? null : await readFile(config.oidcCaFile, 'utf8');
  return {
    issuer,
    clientId: config.oidcClientId,
    scopes: config.oidcScopes,
    caPem,
    platformAdminGroup: config.platformAdminGroup,
    demo: false,
  };
}
