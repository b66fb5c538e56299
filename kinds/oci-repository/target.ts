import { isTag } from '#core/oci-values.ts';
import { isInRange, type Range } from '#core/semver/range.ts';
import { compareVersions, parseStrictVersion, type Version } from '#core/semver/version.ts';

/** Takes tags one by one and remembers the best one only. */
export type TagPick = Readonly<{ offer(tag: string): void; best(): string | null }>;

/**
 * The highest version in the range among the tags that pass the filter. Helm writes `+` as `_` into a tag, which can hold no `+`; so it is read back. Of tags that are the same
 * version the last in byte order wins, so that the choice does not depend on the order in which the registry lists them. Pure.
 */
export function createTagPick(range: Range, isWanted: (tag: string) => boolean): TagPick {
  let best: Readonly<{ version: Version; tag: string }> | null = null;
  return Object.freeze({
    offer(tag: string) {
      const version = isWanted(tag) ? parseStrictVersion(tag.replaceAll('_', '+')) : null;
      if (version === null || !isInRange(range, version)) return;
      if (best === null || (compareVersions(version, best.version) || (tag > best.tag ? 1 : -1)) > 0) best = { version, tag };
    },
    best: () => best?.tag ?? null,
  });
}

/** The tag as the registry has it, where a chart's version may be written with its `+`; null for a text that can be none. Pure. */
export function tagOf(text: string): string | null {
  const tag = text.replaceAll('+', '_');
  return isTag(tag) ? tag : null;
}
