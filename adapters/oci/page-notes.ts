import { LRUCache } from 'lru-cache';
import type { RegistryRemote } from '#core/registry.ts';
import { keyOf } from './tokens.ts';

/** What a page of tags was when it came last. */
export type PageNote = Readonly<{ digest: string; next: string | null; etag: string | null }>;

/** Of all tenants together; each is kept under its own credential. */
const MAX_NOTES = 10_000;
const MAX_ETAG = 256;

/** Entity tags of pages, so that a registry that has them need not send what is known (RFC 9110 section 13.1.2). */
export function createPageNotes() {
  const notes = new LRUCache<string, PageNote>({ max: MAX_NOTES });
  const nameOf = (remote: RegistryRemote, path: string): string => `${keyOf(remote)} ${path}`;
  return Object.freeze({
    of: (remote: RegistryRemote, path: string): PageNote | null => notes.get(nameOf(remote, path)) ?? null,
    keep(remote: RegistryRemote, path: string, note: PageNote): void {
      if (note.etag === null || note.etag.length > MAX_ETAG) notes.delete(nameOf(remote, path));
      else notes.set(nameOf(remote, path), Object.freeze({ ...note }));
    },
  });
}
