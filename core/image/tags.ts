/** Tags of one image repository as the last scan that differed left them. */
export type StoredTags = Readonly<{
  /** `sha256:<hex>` of the sorted tags. */
  revision: string;
  /** In ascending byte order. */
  tags: readonly string[];
}>;

/** Stored tags of the tenant's own image repositories, by the uid of the ImageRepository. */
export interface ImageTags {
  /** Whether exactly these tags are stored. Reads no tag. */
  has(repositoryUid: string, revision: string): Promise<boolean>;
  /** Null when nothing was stored yet. */
  read(repositoryUid: string): Promise<StoredTags | null>;
  /** Replaces the tags of the repository. Idempotent. */
  write(repositoryUid: string, stored: StoredTags): Promise<void>;
  /** Idempotent. */
  remove(repositoryUid: string): Promise<void>;
}
