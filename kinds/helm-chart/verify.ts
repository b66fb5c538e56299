import type { ChartRefusal } from '#core/charts.ts';
import { trustedKeys } from '#core/cosign/keys.ts';
import { verifyDigest } from '#core/cosign/verify-digest.ts';
import type { Ctx } from '#core/kind.ts';
import type { HelmChartNeed, HelmChartObj } from './observe.ts';
import type { Repository } from './registry.ts';

/** Says why a digest must not be fetched; null when it may. */
export type CheckDigest = (digest: string) => Promise<ChartRefusal | null>;

/** The check of `spec.verify`: a key of its Secret must have signed the very digest that is fetched, with cosign. Without `spec.verify` everything may be fetched. */
export function digestCheck(ctx: Ctx<HelmChartNeed>, { definition, spec }: HelmChartObj, { remote, timeoutMs }: Repository): CheckDigest {
  const name = spec.verify?.secretRef?.name;
  if (name === undefined) return async () => null;
  return async (digest) => {
    const shown = `${definition.namespace}/${name}`;
    const values = await ctx.secrets.read(definition.namespace, name);
    if (values === null) return refuse(`failed to get secret '${shown}': it does not exist; create it, or correct spec.verify.secretRef`);
    const trusted = trustedKeys(values);
    if (trusted.is === 'failed') return refuse(`Secret ${shown} ${trusted.message}`);
    const untilMs = ctx.nowMs() + timeoutMs;
    const limits = () => ({ timeoutMs: Math.max(1, untilMs - ctx.nowMs()) });
    const verdict = await verifyDigest({ registry: ctx.registry, remote, digest, keys: trusted.keys, limits, signal: ctx.signal });
    return verdict.is === 'verified' ? null : refuse(verdict.message);
  };
}

function refuse(why: string): ChartRefusal {
  const message = `failed to verify the signature using provider 'cosign': ${why}`;
  return { is: 'refused', reason: 'ChartVerificationError', message };
}
