import { trustedKeys } from '#core/cosign/keys.ts';
import { type Verdict, verifyDigest } from '#core/cosign/verify-digest.ts';
import type { Ctx } from '#core/kind.ts';
import type { RegistryRemote } from '#core/registry.ts';
import { type OCIRepositoryNeed, type OCIRepositoryObj, remoteTimeoutMs } from './observe.ts';
import { namedSecret } from './open-remote.ts';

/** Whether a key of `spec.verify.secretRef` signed this digest with cosign. Refused unless proven. */
export async function verify(
  ctx: Ctx<OCIRepositoryNeed>,
  { definition, spec }: OCIRepositoryObj,
  remote: RegistryRemote,
  digest: string,
): Promise<Verdict> {
  const found = await namedSecret(ctx, definition.namespace, spec.verify?.secretRef?.name ?? '', 'spec.verify.secretRef');
  if (found.is === 'failed') return { is: 'refused', message: found.message };
  const trusted = trustedKeys(found.secret.values);
  if (trusted.is === 'failed') return { is: 'refused', message: `Secret ${found.secret.shown} ${trusted.message}` };
  const untilMs = ctx.nowMs() + remoteTimeoutMs(spec);
  const limits = () => ({ timeoutMs: Math.max(1, untilMs - ctx.nowMs()) });
  return verifyDigest({ registry: ctx.registry, remote, digest, keys: trusted.keys, limits, signal: ctx.signal });
}
