import type { Judged } from '#core/kind.ts';
import type { ExternalArtifactObj, Seen } from './observe.ts';
import type { ExternalArtifactStatus } from './schema.ts';

const AGAIN_MS = 60_000;

/** Shows what the maker made. A maker that is gone or late takes no artifact away: the last one stays until the object goes. Pure. */
export function decide(_obj: ExternalArtifactObj, seen: Seen): Judged<typeof ExternalArtifactStatus> {
  switch (seen.at) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message: seen.message };
    case 'foreign':
      return { is: 'stalled', reason: 'AccessDenied', message: seen.message };
    case 'waiting':
      return { is: 'waiting', reason: 'SourceUnavailable', message: seen.message, afterMs: AGAIN_MS };
    case 'made': {
      const { artifact } = seen;
      return {
        is: 'ready',
        reason: 'Succeeded',
        message: 'Artifact is ready',
        revision: artifact.revision,
        shown: { status: { artifact }, revision: artifact.revision, artifactDigest: artifact.digest },
      };
    }
  }
}
