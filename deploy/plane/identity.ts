import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeyAndCertificate } from '#adapters/x509/issue.ts';
import type { Config } from '#core/config.ts';
import { isErrno } from '#deploy/local/children.ts';
import { startOidcServer } from '#deploy/local/oidc.ts';
import type { DemoUser } from '#deploy/local/oidc-settings.ts';
import { freePort } from '#deploy/local/ports.ts';

/** Who says who people are. */
export type Identity = Readonly<{
  issuer: string;
  clientId: string;
  scopes: readonly string[];
  caPem: string | null;
  platformAdminGroup: string | null;
  note: string;
  /** True for the provider in this process, in which everybody may be anybody. */
  demo: boolean;
  stop(): Promise<void>;
}>;

export const DEMO_ADMIN_GROUP = 'platform-admins';
/** People of the demo provider. Their ids are what members of a Tenant are named by. */
export const demoUsers: readonly DemoUser[] = Object.freeze([
  { id: 'pat', name: 'Pat Platform', email: 'pat@demo.invalid', groups: [DEMO_ADMIN_GROUP] },
  { id: 'alice', name: 'Alice of team-a', email: 'alice@demo.invalid', groups: ['team-a'] },
  { id: 'bob', name: 'Bob of team-b', email: 'bob@demo.invalid', groups: ['team-b'] },
  { id: 'vera', name: 'Vera, viewer of team-a', email: 'vera@demo.invalid', groups: [] },
]);
/** Long enough for a day of trying things by hand with the kubeconfigs that the demo writes. */
const DEMO_TOKEN_SECONDS = 12 * 60 * 60;

/** The configured issuer, or a demo provider in this process, which is never started beside a real one. */
export async function openIdentity(config: Config, authority: KeyAndCertificate): Promise<Identity> {
  const shared = { clientId: config.oidcClientId, scopes: config.oidcScopes };
  if (config.oidcIssuer !== null) {
    const caPem = config.oidcCaFile === null ? null : await readFile(config.oidcCaFile, 'utf8');
    return {
      ...shared,
      issuer: config.oidcIssuer,
      caPem,
      platformAdminGroup: config.platformAdminGroup,
      note: `Login: ${config.oidcIssuer}`,
      demo: false,
      stop: async () => undefined,
    };
  }
  const port = await keptPort(join(config.stateDir, 'demo-login-port'));
  const server = await startOidcServer({ authority, users: demoUsers, idTokenSeconds: DEMO_TOKEN_SECONDS, port });
  return {
    ...shared,
    issuer: server.issuer,
    caPem: authority.certificatePem,
    platformAdminGroup: config.platformAdminGroup ?? DEMO_ADMIN_GROUP,
    note: `Login: demo provider at ${server.issuer} — anybody may be anybody, not for production; set WEIR_OIDC_ISSUER for a real one`,
    demo: true,
    stop: () => server.stop(),
  };
}

/** Members are known by issuer and subject, and the issuer's name holds its port: after a restart it must be the same one, or nobody is a member of anything. */
async function keptPort(file: string): Promise<number> {
  const kept = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  });
  if (kept !== null && /^[0-9]{1,5}\n$/.test(kept)) return Number(kept);
  const port = await freePort();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${port}\n`);
  return port;
}

/** Where the plane keeps its own authority. */
export function authorityDir(config: Pick<Config, 'stateDir'>): string {
  return join(config.stateDir, 'ca');
}
