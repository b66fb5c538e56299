import { canonicalJson } from '#core/json.ts';
import type { Judged } from '#core/kind.ts';
import type { ImageRepositoryObj, Seen } from './observe.ts';
import type { ImageRepositoryStatus } from './schema.ts';

type Scanned = Extract<Seen, { at: 'scanned' }>;
export type Act = Readonly<{ do: 'store'; scanned: Scanned }>;
type Verdict = Judged<typeof ImageRepositoryStatus>;

/**
 * Whether what was found must be stored. The same tags as before write nothing and wake nobody, so `scanTime` is that of the last scan that found something new.
 * A failure keeps the tags of the last good scan. Pure.
 */
export function decide(obj: ImageRepositoryObj, seen: Seen): Act | Verdict {
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'imageInvalid':
      return { is: 'stalled', reason: 'ImageURLInvalid', message: seen.message };
    case 'failed': {
      const { reason, message, retryAfterMs } = seen;
      // A private address, or plain http, needs an operator.
      if (reason === 'AccessDenied') return { is: 'stalled', reason, message };
      return { is: 'failed', reason, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    case 'stored':
    case 'same':
      return ready(obj);
    case 'scanned':
      return isKnown(obj, seen) ? ready(obj) : { do: 'store', scanned: seen };
  }
}

function isKnown({ status }: ImageRepositoryObj, { isStored, scan: { revision }, canonical, exclusions }: Scanned): boolean {
  return (
    isStored &&
    status?.lastScanResult?.revision === revision &&
    status.canonicalImageName === canonical &&
    canonicalJson([...(status.observedExclusionList ?? [])]) === canonicalJson([...exclusions])
  );
}

function ready({ status }: ImageRepositoryObj): Verdict {
  const { tagCount = 0, revision = '' } = status?.lastScanResult ?? {};
  return { is: 'ready', reason: 'Succeeded', message: `successful scan: found ${tagCount} tags with checksum ${revision}`, revision };
}
