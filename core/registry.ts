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
export type RegistryManifest = Readonly<{
  /** `sha256:<hex>` of the bytes that came, checked against what was asked for. */
  digest: string;
  mediaType: string;
  artifactType: string | null;
  annotations: Readonly<Record<string, string>>;
  config: Descriptor | null;
  layers: readonly Descriptor[];
}>;

/**
 * Reads of one repository with this tenant's credential. All throw AppError upstreamFailed, upstreamAuthFailed, upstreamTooLarge, egressDenied, and notFound for what the registry
 * does not have; `details.retryAfterMs` is what the registry asked for.
 */
export interface Registry {
  /** Hands over each tag, page by page, in the registry's order, and answers their number; more than 100,000 are refused. */
  tags(remote: RegistryRemote, onTag: (tag: string) => void, limits: RegistryLimits, signal: AbortSignal): Promise<number>;
  /** Digest that a tag stands for now. Nobody vouches for it until `manifest` read those bytes. */
  resolve(remote: RegistryRemote, tag: string, limits: RegistryLimits, signal: AbortSignal): Promise<string>;
  /** An image manifest by digest; an index or another type is upstreamFailed. */
  manifest(remote: RegistryRemote, digest: string, limits: RegistryLimits, signal: AbortSignal): Promise<RegistryManifest>;
  /** Writes a blob into a new file; its digest and size are checked while it comes, and of a wrong one nothing stays. */
  blob(
    remote: RegistryRemote,
    layer: Descriptor,
    to: Readonly<{ file: string; maxBytes: number }>,
    limits: RegistryLimits,
    signal: AbortSignal,
  ): Promise<void>;
}
