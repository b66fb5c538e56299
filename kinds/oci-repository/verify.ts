import { openJudge } from '#core/cosign/open-judge.ts';
import { type Verdict, verifyDigest } from '#core/cosign/verify-digest.ts';
import type { Ctx } from '#core/kind.ts';
import type { RegistryRemote } from '#core/registry.ts';
import { type OCIRepositoryNeed, type OCIRepositoryObj, remoteTimeoutMs } from './observe.ts';

/** Whether somebody whom `spec.verify` trusts signed this digest with cosign. Refused unless proven. */
export async function verify(
  ctx: Ctx<OCIRepositoryNeed>,
  { definition, spec }: OCIRepositoryObj,
  remote: RegistryRemote,
  digest: string,
): Promise<Verdict> {
  const opened = await openJudge(ctx, definition.namespace, spec.verify ?? {});
  if (opened.is === 'failed') return { is: 'refused', message: opened.message };
  const untilMs = ctx.nowMs() + remoteTimeoutMs(spec);
  const limits = () => ({ timeoutMs: Math.max(1, untilMs - ctx.nowMs()) });
  return verifyDigest({ registry: ctx.registry, remote, digest, judge: opened.judge, limits, signal: ctx.signal });
}
