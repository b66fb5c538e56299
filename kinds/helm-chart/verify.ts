import type { ChartRefusal } from '#core/charts.ts';
import { openJudge } from '#core/cosign/open-judge.ts';
import { verifyDigest } from '#core/cosign/verify-digest.ts';
import type { Ctx } from '#core/kind.ts';
import type { HelmChartNeed, HelmChartObj } from './observe.ts';
import type { Repository } from './registry.ts';

/** Says why a digest must not be fetched; null when it may. */
export type CheckDigest = (digest: string) => Promise<ChartRefusal | null>;

/** The check of `spec.verify`: somebody whom it trusts must have signed the very digest that is fetched, with cosign. Without `spec.verify` everything may be fetched. */
export function digestCheck(ctx: Ctx<HelmChartNeed>, { definition, spec }: HelmChartObj, { remote, timeoutMs }: Repository): CheckDigest {
  const { verify } = spec;
  if (verify === undefined) return async () => null;
  return async (digest) => {
    const opened = await openJudge(ctx, definition.namespace, verify);
    if (opened.is === 'failed') return refuse(opened.message);
    const untilMs = ctx.nowMs() + timeoutMs;
    const limits = () => ({ timeoutMs: Math.max(1, untilMs - ctx.nowMs()) });
    const verdict = await verifyDigest({ registry: ctx.registry, remote, digest, judge: opened.judge, limits, signal: ctx.signal });
    return verdict.is === 'verified' ? null : refuse(verdict.message);
  };
}

function refuse(why: string): ChartRefusal {
  const message = `failed to verify the signature using provider 'cosign': ${why}`;
  return { is: 'refused', reason: 'ChartVerificationError', message };
}
