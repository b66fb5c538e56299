import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logIn } from '#deploy/local/oidc-login.ts';
import type { PlaneUser } from './plane-client.ts';
import type { Stage } from './stage.ts';

/** Who acts in the demo: the platform admin, and one user of each tenant. Their tokens are real ID tokens of the demo provider, with an expiry. */
export type People = Readonly<{ pat: PlaneUser; alice: PlaneUser; bob: PlaneUser }>;
export type Handed = Readonly<{ user: string; kubeconfig: string; expiresAt: string }>;

export async function logInAll(stage: Stage): Promise<People> {
  const caPem = await readFile(stage.plane.caFile, 'utf8');
  const [pat, alice, bob] = await Promise.all(['pat', 'alice', 'bob'].map((id) => planeUser(stage, caPem, id)));
  if (pat === undefined || alice === undefined || bob === undefined) throw new Error('three people were to log in');
  return { pat, alice, bob };
}

async function planeUser(stage: Stage, caPem: string, id: string): Promise<PlaneUser> {
  const answer = await logIn(stage.plane.issuer, caPem, id);
  return { url: stage.plane.url, caPem, token: answer.id_token };
}

/** A kubeconfig with a token inside, so that it works from any directory without a browser. */
export async function writeKubeconfig(dir: string, name: string, user: PlaneUser, namespace: string): Promise<Handed> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `${name}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'weir', cluster: { server: user.url, 'certificate-authority-data': Buffer.from(user.caPem, 'utf8').toString('base64') } },
    ],
    users: [{ name, user: { token: user.token } }],
    contexts: [{ name, context: { cluster: 'weir', user: name, namespace } }],
    'current-context': name,
  };
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return { user: name, kubeconfig: file, expiresAt: expiryOf(user.token) };
}

/** The expiry in a JWT, for people; nothing is decided by it. */
function expiryOf(token: string): string {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const seconds = typeof claims === 'object' && claims !== null && 'exp' in claims && typeof claims.exp === 'number' ? claims.exp : 0;
  return new Date(seconds * 1_000).toISOString();
}
