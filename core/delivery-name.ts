import { createHash } from 'node:crypto';

const maxLength = 253;
const hashLength = 10;

/**
 * `<kind>.<definition>.<cluster>` in lower case kind, as a Delivery is named (design.md section 5); hashed when it is too long, or when `always` asks
 * for it because another cluster of the same name has the plain one. The hash is over kind, definition and cluster id, so it is stable. Pure.
 */
export function deliveryName(
  of: Readonly<{ kind: string; definition: string; clusterName: string; clusterId: string }>,
  always = false,
): string {
  const plain = `${of.kind.toLowerCase()}.${of.definition}.${of.clusterName}`;
  if (plain.length <= maxLength && !always) return plain;
  const hash = createHash('sha256')
    .update(JSON.stringify([of.kind, of.definition, of.clusterId]))
    .digest('hex')
    .slice(0, hashLength);
  return `${plain.slice(0, maxLength - hashLength - 1).replace(/[^a-z0-9]+$/, '')}-${hash}`;
}
