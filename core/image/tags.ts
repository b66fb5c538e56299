/** Tags of one image repository as the last scan that differed left them. */
export type StoredTags = Readonly<{
  /** `sha256:<hex>` of the sorted tags. */
  revision: string;
  /** In ascending byte order. */
  tags: readonly string[];
  /** Digest of the registry's answer that they were read from; empty when it is not known. */
  listing: string;
}>;

/** Stored tags of the tenant's own image repositories, by the uid of the ImageRepository. */
export interface ImageTags {
  /** What is stored, without the tags; null when nothing was stored yet. */
  head(repositoryUid: string): Promise<Omit<StoredTags, 'tags'> | null>;
  /** Null when nothing was stored yet. */
  read(repositoryUid: string): Promise<StoredTags | null>;
  /** Replaces the tags of the repository. Idempotent. */
  write(repositoryUid: string, stored: StoredTags): Promise<void>;
  /** Idempotent. */
  remove(repositoryUid: string): Promise<void>;
}
