import type { Ctx, Shown } from '#core/kind.ts';
import { rfc3339 } from '#core/time.ts';
import type { Act } from './decide.ts';
import type { ImageRepositoryObj } from './observe.ts';
import type { ImageRepositoryStatus } from './schema.ts';

const LATEST = 10;

/** Stores the tags of a scan, and shows what was found. Idempotent. */
export async function act(
  ctx: Pick<Ctx<'imageTags'>, 'imageTags' | 'failpoints' | 'nowMs'>,
  { definition, status }: ImageRepositoryObj,
  { scanned }: Act,
): Promise<Shown<typeof ImageRepositoryStatus>> {
  const { canonical, exclusions } = scanned;
  const { tags, revision, listing } = scanned.scan;
  const last = status?.lastScanResult;
  await ctx.failpoints.hit('i1');
  await ctx.imageTags.write(definition.uid, { revision, tags, listing });
  return {
    revision,
    status: {
      canonicalImageName: canonical,
      observedExclusionList: [...exclusions],
      lastScanResult: {
        tagCount: tags.length,
        // Of the scan that found these tags; what is excluded may have changed since.
        scanTime: (last?.revision === revision ? last.scanTime : undefined) ?? rfc3339(ctx.nowMs()),
        revision,
        latestTags: tags.slice(-LATEST).toReversed(),
      },
    },
  };
}
