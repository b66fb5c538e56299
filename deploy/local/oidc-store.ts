import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

type Entry = Readonly<{ payload: AdapterPayload; expiresMs: number }>;

const maxEntriesPerModel = 5_000;

/** Sessions, grants and codes of one provider, in memory: gone when it stops, and never shared with another one of this process. */
export function memoryAdapter(): AdapterFactory {
  const models = new Map<string, Map<string, Entry>>();
  return (model) => {
    const entries = models.get(model) ?? new Map<string, Entry>();
    models.set(model, entries);
    return adapterOf(entries);
  };
}

function adapterOf(entries: Map<string, Entry>): Adapter {
  const findBy = async (matches: (payload: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> => {
    const nowMs = Date.now();
    for (const [id, entry] of entries) {
      if (entry.expiresMs <= nowMs) entries.delete(id);
      else if (matches(entry.payload)) return entry.payload;
    }
    return undefined;
  };
  return {
    upsert: async (id, payload, expiresInSeconds) => {
      entries.delete(id);
      const oldest = entries.keys().next();
      if (entries.size >= maxEntriesPerModel && oldest.done !== true) entries.delete(oldest.value);
      entries.set(id, {
        payload,
        expiresMs: expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1_000,
      });
    },
    find: async (id) => {
      const entry = entries.get(id);
      return entry !== undefined && entry.expiresMs > Date.now() ? entry.payload : undefined;
    },
    findByUid: (uid) => findBy((payload) => payload.uid === uid),
    findByUserCode: (userCode) => findBy((payload) => payload.userCode === userCode),
    consume: async (id) => {
      const entry = entries.get(id);
      if (entry !== undefined) entries.set(id, { ...entry, payload: { ...entry.payload, consumed: Math.floor(Date.now() / 1_000) } });
    },
    destroy: async (id) => void entries.delete(id),
    revokeByGrantId: async (grantId) => {
      for (const [id, entry] of entries) if (entry.payload.grantId === grantId) entries.delete(id);
    },
  };
}
