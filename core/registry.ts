import type { HttpCredential, HttpRequest } from './http.ts';

/** An OCI registry as kinds see it (opencontainers/distribution-spec v1.1). */

export type RegistryRemote = Readonly<{
  /** `registry.example:5000`. */
  host: string;
  /** `team/app`. */
  repository: string;
  /** Plain http; refused unless the operator allows it. */
  insecure: boolean;
  credential: HttpCredential;
  caPem: HttpRequest['caPem'];
  clientCertificate: HttpRequest['clientCertificate'];
}>;

export type RegistryLimits = Readonly<{ timeoutMs: number }>;
export type Descriptor = Readonly<{
  mediaType: string;
  digest: string;
  sizeBytes: number;
  annotations: Readonly<Record<string, string>>;
}>;
/** A manifest that names another one as its subject, such as a signature. */
export type Referrer = Descriptor & Readonly<{ artifactType: string | null }>;
export type RegistryManifest = Readonly<{
  /** `sha256:<hex>` of the bytes that came, checked against what was asked for. */
  digest: string;
  mediaType: string;
  artifactType: string | null;
  annotations: Readonly<Record<string, string>>;
  config: Descriptor | null;
  layers: readonly Descriptor[];
}>;

export type TagListing =
  | Readonly<{ is: 'same' }>
  | Readonly<{ is: 'listed'; count: number /** Digest of the answer, byte for byte. */; listing: string }>;

/**
 * Reads of one repository with this tenant's credential. All throw AppError upstreamFailed, upstreamAuthFailed, upstreamTooLarge, egressDenied, and notFound for what the registry
 * does not have; `details.retryAfterMs` is what the registry asked for.
 */
export interface Registry {
  /**
   * Hands over each tag, page by page, in the registry's order, and answers their number; more than 100,000 are refused. With the `listing` of an earlier answer as `known`, an
   * equal list is `same` and none of its tags is handed over; of a registry with entity tags it is not even sent.
   */
  tags(
    remote: RegistryRemote,
    onTag: (tag: string) => void,
    limits: RegistryLimits & Readonly<{ known?: string | null }>,
    signal: AbortSignal,
  ): Promise<TagListing>;
  /** Digest that a tag stands for now. Nobody vouches for it until `manifest` read those bytes. */
  resolve(remote: RegistryRemote, tag: string, limits: RegistryLimits, signal: AbortSignal): Promise<string>;
  /**
   * When the image of a tag was built: the annotation org.opencontainers.image.created of its index or manifest, else `created` of its configuration; null when none says so.
   * `isGone`: the tag is not there any more, and the time is what this process saw before. What a digest says is asked for once.
   */
  built(
    remote: RegistryRemote,
    tag: string,
    limits: RegistryLimits,
    signal: AbortSignal,
  ): Promise<Readonly<{ atMs: number | null; isGone: boolean }>>;
  /**
   * An image manifest by digest; another type is upstreamFailed. Of an index the image for linux/amd64 is answered, read by the digest that the index says, as upstream's client
   * does; its `digest` is then another one than was asked for.
   */
  manifest(remote: RegistryRemote, digest: string, limits: RegistryLimits, signal: AbortSignal): Promise<RegistryManifest>;
  /** What refers to a digest, by the registry's list or else by the fallback tag; at most 1,000. The list is the registry's word: each entry is read and judged by itself. */
  referrers(remote: RegistryRemote, digest: string, limits: RegistryLimits, signal: AbortSignal): Promise<readonly Referrer[]>;
  /** Writes a blob into a new file; its digest and size are checked while it comes, and of a wrong one nothing stays. */
  blob(
    remote: RegistryRemote,
    layer: Descriptor,
    to: Readonly<{ file: string; maxBytes: number }>,
    limits: RegistryLimits,
    signal: AbortSignal,
  ): Promise<void>;
  /** A small blob in memory, checked as `blob` is. */
  read(
    remote: RegistryRemote,
    blob: Descriptor,
    to: Readonly<{ maxBytes: number }>,
    limits: RegistryLimits,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  /** A blob in a temporary file of the port, checked as `blob` is. The caller disposes. */
  fetch(
    remote: RegistryRemote,
    layer: Descriptor,
    to: Readonly<{ maxBytes: number }>,
    limits: RegistryLimits,
    signal: AbortSignal,
  ): Promise<Readonly<{ path: string; dispose(): Promise<void> }>>;
}
