import { createHash } from 'node:crypto';
import type { BucketObject } from '#core/bucket.ts';

/** `sha256:<hex>` over one line `<key> <etag>` per object, in the byte order of the keys (fluxcd/source-controller internal/index/digest.go). Pure. */
export function revisionOf(objects: readonly BucketObject[]): string {
  const hash = createHash('sha256');
  for (const { key, etag } of inByteOrder(objects)) hash.update(`${key} ${etag}\n`);
  return `sha256:${hash.digest('hex')}`;
}

/** Go orders texts by bytes, JavaScript by UTF-16 units (libraries.md 15.6). Pure. */
export function inByteOrder(objects: readonly BucketObject[]): readonly BucketObject[] {
  return objects.toSorted((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)));
}
