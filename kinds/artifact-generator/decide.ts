import type { ComposeOutput } from '#core/compose.ts';
import type { Judged } from '#core/kind.ts';
import type { ArtifactGeneratorObj, Blocker, Seen } from './observe.ts';
import type { ArtifactGeneratorStatus } from './schema.ts';
import type { FoundSource } from './sources.ts';

export type Act =
  | Readonly<{
      do: 'build';
      sources: readonly FoundSource[];
      outputs: readonly ComposeOutput[];
      sourcesDigest: string;
      inputDigest: string;
    }>
  | Readonly<{ do: 'publish'; names: readonly string[]; orphans: readonly string[] }>;
type Verdict = Judged<typeof ArtifactGeneratorStatus>;

/** Poll for a source without artifact, should nobody wake us. */
const SOURCE_AGAIN_MS = 30_000;
const DISABLED_AGAIN_MS = 60 * 60_000;

/** Build when the input changed, then write what the results are, then be ready. Pure. */
export function decide(obj: ArtifactGeneratorObj, seen: Seen): Act | Verdict {
  if (seen.at !== 'sources') return blocked(obj, seen.at, seen.message);
  const { sources, outputs, sourcesDigest, inputDigest } = seen;
  if (!seen.isBuilt && !obj.done.includes('build')) return { do: 'build', sources, outputs, sourcesDigest, inputDigest };
  if (seen.unpublished.length + seen.orphans.length > 0 && !obj.done.includes('publish'))
    return { do: 'publish', names: seen.unpublished, orphans: seen.orphans };
  return {
    is: 'ready',
    reason: 'Succeeded',
    message: `reconciliation succeeded, generated ${outputs.length} artifact(s)`,
    revision: sourcesDigest,
    shown: { revision: sourcesDigest },
  };
}

function blocked({ status }: ArtifactGeneratorObj, by: Blocker, message: string): Verdict {
  switch (by) {
    case 'disabled': {
      // Suspended: Ready keeps its state.
      const ready = status?.conditions?.find((one) => one.type === 'Ready');
      if (ready?.status === 'True')
        return { is: 'ready', reason: 'Succeeded', message: ready.message, revision: status?.observedSourcesDigest ?? '' };
      return { is: 'waiting', reason: 'Suspended', message, afterMs: DISABLED_AGAIN_MS };
    }
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message };
    case 'invalid':
      return { is: 'stalled', reason: 'ValidationFailed', message };
    case 'foreign':
      return { is: 'stalled', reason: 'AccessDenied', message };
    case 'missing':
      return { is: 'failed', reason: 'SourceFetchFailed', message };
    case 'noArtifact':
      return { is: 'waiting', reason: 'SourceFetchFailed', message, afterMs: SOURCE_AGAIN_MS };
  }
}
