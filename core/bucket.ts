import type { HttpRequest } from './http.ts';

/** An S3-compatible bucket as kinds see it. */

export type BucketRemote = Readonly<{
  /** `https://s3.example:9000`, without a path. */
  origin: string;
  bucketName: string;
  region: string;
  /** Null for a bucket that everybody may read. */
  credential: Readonly<{ accessKey: string; secretKey: string }> | null;
  caPem: HttpRequest['caPem'];
  clientCertificate: HttpRequest['clientCertificate'];
}>;

export type BucketObject = Readonly<{ key: string; etag: string; sizeBytes: number }>;

/** What a bucket holds for a definition; `revision` is `sha256:<hex>` of keys and etags as Flux computes it. */
export type BucketIndex = Readonly<{ objects: readonly BucketObject[]; revision: string }>;

export type BucketLimits = Readonly<{ timeoutMs: number; maxBytes: number; maxObjects: number }>;

/** Files of an artifact to be, outside of their paths: `file` is a name that no tenant chose. */
export type LooseFile = Readonly<{ path: string; file: string }>;

/**
 * Reads of one bucket with this tenant's credential. All throw AppError upstreamFailed, upstreamAuthFailed, upstreamTooLarge, egressDenied, notFound (no such bucket),
 * artifactTooLarge, and badRequest for a key that is no path (threats D4).
 */
export interface Bucket {
  /** Keys below the prefix that neither the root's `.sourceignore` nor `ignore` leaves out, in byte order; keys that end with `/` are folders and do not count. */
  index(
    remote: BucketRemote,
    want: Readonly<{ prefix: string; ignore: string | null }>,
    limits: BucketLimits,
    signal: AbortSignal,
  ): Promise<BucketIndex>;
  /** The objects as files, with the root's `.sourceignore`, and the index of what came: an object that is gone by now is left out. The caller disposes. */
  fetch(
    remote: BucketRemote,
    objects: readonly BucketObject[],
    limits: BucketLimits,
    signal: AbortSignal,
  ): Promise<BucketIndex & Readonly<{ files: readonly LooseFile[]; dispose(): Promise<void> }>>;
}
