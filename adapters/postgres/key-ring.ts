/** Classes of sealed values: each has its own data key per tenant. */
export type KeyClass = 'secret' | 'cluster-credential';
export type KeyContext = Readonly<{ tenantId: string; keyClass: KeyClass }>;

/**
 * Wraps data keys with the key-encryption key (a file here, a KMS elsewhere). The context is bound to what is wrapped:
 * unwrapping under another tenant or class throws AppError decryptFailed, as a wrong key does.
 */
export interface KeyWrap {
  /** Recorded beside each wrapped key. */
  readonly keyId: string;
  wrap(context: KeyContext, dek: Uint8Array): Promise<Uint8Array>;
  unwrap(context: KeyContext, wrapped: Uint8Array, keyId: string): Promise<Uint8Array>;
}

/** An opened data key; never logged, never stored unwrapped. */
export type DataKey = Readonly<{ dekId: string; dek: Uint8Array }>;

type Cached = Readonly<{ key: DataKey; untilMs: number }>;

/** A key-encryption key with its bounded cache of opened data keys. One per process; made by `openKeyRing`. */
export type KeyRing = Readonly<{
  wrap: KeyWrap;
  remember(context: KeyContext, key: DataKey): void;
  recall(context: KeyContext, dekId: string): DataKey | null;
  forgetTenant(tenantId: string): void;
}>;

const maxAgeMs = 300_000;
const maxKeys = 2_000;

/** Data keys stay opened for at most 5 minutes, 2,000 at a time (threats 4.2). */
export function openKeyRing(wrap: KeyWrap, nowMs: () => number): KeyRing {
  const cached = new Map<string, Cached>();
  return Object.freeze({
    wrap,
    remember(context: KeyContext, key: DataKey): void {
      const oldest = cached.keys().next();
      if (cached.size >= maxKeys && oldest.done !== true) cached.delete(oldest.value);
      cached.set(cacheKey(context, key.dekId), { key, untilMs: nowMs() + maxAgeMs });
    },
    recall(context: KeyContext, dekId: string): DataKey | null {
      const name = cacheKey(context, dekId);
      const found = cached.get(name);
      if (found === undefined) return null;
      if (found.untilMs > nowMs()) return found.key;
      cached.delete(name);
      return null;
    },
    /** On suspension or deletion of a tenant. */
    forgetTenant(tenantId: string): void {
      for (const name of cached.keys()) if (name.startsWith(`${tenantId}/`)) cached.delete(name);
    },
  });
}

function cacheKey(context: KeyContext, dekId: string): string {
  return `${context.tenantId}/${context.keyClass}/${dekId}`;
}
