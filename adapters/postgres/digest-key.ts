import { createHmac, hkdfSync } from 'node:crypto';
import type { KeyRing } from './key-ring.ts';
import { currentKey } from './sealing.ts';
import type { TenantTx } from './tenant-tx.ts';

/** Digests of content that may hold secret values, under a key of the tenant's own. */
export type DigestKey = Readonly<{ keyed(digest: string): string }>;

const PURPOSE = 'weir digests of rendered content, 1';

/**
 * The tenant's key for digests, derived (RFC 5869) from its data key for Secrets, which is made at first use. The same for as long as that key is: who reads a status or the ledger can compare digests of
 * one tenant with each other, and can test no guess of what was digested. Throws AppError decryptFailed.
 */
export async function digestKey(tx: TenantTx, keys: KeyRing): Promise<DigestKey> {
  const { dek } = await currentKey(tx, keys, { tenantId: tx.tenantId, keyClass: 'secret' });
  const key = new Uint8Array(hkdfSync('sha256', dek, tx.tenantId, PURPOSE, 32));
  // The form stays `sha256:<hex>`, as Flux's clients read a digest; what it is of nobody outside can compute.
  return Object.freeze({ keyed: (digest: string) => `sha256:${createHmac('sha256', key).update(digest).digest('hex')}` });
}
