import type { Patterns, Secrets } from '../ports.ts';
import type { Sigstore, SigstoreRoot } from '../sigstore.ts';
import { identityTest, type WantedIdentity } from './identity.ts';
import { type Judge, keyJudge, keylessJudge } from './judge.ts';
import { trustedKeys } from './keys.ts';

/** `spec.verify` with provider cosign, of whatever kind. */
export type Verification = Readonly<{
  secretRef?: Readonly<{ name: string }>;
  matchOIDCIdentity?: readonly WantedIdentity[];
  trustedRootSecretRef?: Readonly<{ name: string }>;
}>;
export type OpenedJudge = Readonly<{ is: 'judge'; judge: Judge }> | Readonly<{ is: 'failed'; message: string }>;
type Ctx = Readonly<{ secrets: Secrets; patterns: Patterns; sigstore: Sigstore }>;

const ROOT = 'trusted_root.json';

/** Who is trusted: the keys of a Secret, or else identities below a root. `message` says what to mend, and quotes no value. */
export async function openJudge(ctx: Ctx, namespace: string, verify: Verification): Promise<OpenedJudge> {
  const { secretRef } = verify;
  if (secretRef === undefined) return await openKeyless(ctx, namespace, verify);
  const values = await ctx.secrets.read(namespace, secretRef.name);
  if (values === null) return missing(`${namespace}/${secretRef.name}`, 'spec.verify.secretRef');
  const trusted = trustedKeys(values);
  if (trusted.is === 'failed') return failed(`Secret ${namespace}/${secretRef.name} ${trusted.message}`);
  return { is: 'judge', judge: keyJudge({ keys: trusted.keys, isPrehashedBy: (...asked) => ctx.sigstore.isPrehashedBy(...asked) }) };
}

async function openKeyless(ctx: Ctx, namespace: string, verify: Verification): Promise<OpenedJudge> {
  const wanted = verify.matchOIDCIdentity ?? [];
  const rootName = verify.trustedRootSecretRef?.name ?? null;
  // The operator's root may be the public one, below which everybody can sign. Kinds say so earlier; here no kind can forget it (threats J4).
  if (rootName === null && wanted.length === 0)
    return failed('a keyless signature below the root of the operator needs an identity: write spec.verify.matchOIDCIdentity');
  const identities = identityTest(ctx.patterns, wanted);
  if (identities.is === 'failed') return identities;
  const root = await rootFor(ctx, namespace, rootName);
  return 'is' in root ? root : { is: 'judge', judge: keylessJudge(root, identities.isWanted) };
}

async function rootFor(
  { secrets, sigstore }: Ctx,
  namespace: string,
  name: string | null,
): Promise<SigstoreRoot | Extract<OpenedJudge, { is: 'failed' }>> {
  if (name === null) {
    const message = 'there is no root to trust: keyless signatures need WEIR_SIGSTORE_TRUSTED_ROOT of the operator, or sign with a key';
    return sigstore.operatorRoot ?? failed(message);
  }
  const values = await secrets.read(namespace, name);
  if (values === null) return missing(`${namespace}/${name}`, 'spec.verify.trustedRootSecretRef');
  const json = values[ROOT];
  if (json === undefined) return failed(`Secret ${namespace}/${name} has no key ${ROOT}`);
  const read = sigstore.root(json);
  return read.is === 'root' ? read.root : failed(`${ROOT} of Secret ${namespace}/${name} ${read.message}`);
}

function missing(shown: string, field: string): Extract<OpenedJudge, { is: 'failed' }> {
  return failed(`failed to get secret '${shown}': it does not exist; create it, or correct ${field}`);
}

function failed(message: string): Extract<OpenedJudge, { is: 'failed' }> {
  return { is: 'failed', message };
}
