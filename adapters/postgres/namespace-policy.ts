import type { NamespacePolicy } from './directory.ts';

/** What of the first policy also belongs to the second, as words for a message; null when they are apart. Pure. */
export function overlapOf(mine: NamespacePolicy, other: NamespacePolicy): string | null {
  for (const name of mine.names) {
    if (other.names.includes(name) || other.prefixes.some((prefix) => name.startsWith(prefix))) return `name "${name}"`;
  }
  for (const prefix of mine.prefixes) {
    if (other.names.some((name) => name.startsWith(prefix))) return `prefix "${prefix}"`;
    if (other.prefixes.some((one) => one.startsWith(prefix) || prefix.startsWith(one))) return `prefix "${prefix}"`;
  }
  return null;
}
