import type { Ctx, Shown } from '#core/kind.ts';
import type { HelmReleaseObj, Needs } from '../observe.ts';
import { keyedSnapshot } from '../records.ts';
import type { HelmReleaseStatus } from '../status.ts';

/** Puts the tenant's key on the digests that an earlier version left in status: the release stays known as it is, and nothing of it is touched. Idempotent. */
export async function rekey({ helm }: Ctx<Needs>, { status }: HelmReleaseObj): Promise<Shown<typeof HelmReleaseStatus>> {
  const config = status?.lastAttemptedConfigDigest;
  return {
    status: {
      history: await Promise.all((status?.history ?? []).map((one) => keyedSnapshot(helm, one))),
      // Written with the history's digests, never later.
      ...(config === undefined ? {} : { lastAttemptedConfigDigest: await helm.keyed(config) }),
    },
  };
}
