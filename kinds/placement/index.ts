import { defineKind, type Judged } from '#core/kind.ts';
import { resource } from './resource.ts';
import { PlacementSpec, PlacementStatus } from './schema.ts';

type Seen = Readonly<{ definitions: number; clusters: readonly string[] }>;
/** Placements only show what they select; the definitions themselves fan out. */
type Act = never;

/** Says which definitions run on which clusters; its status shows what that comes to right now. */
export const placementKind = defineKind<'definition', typeof PlacementSpec, typeof PlacementStatus, 'places', Seen, Act>({
  resource,
  unit: 'definition',
  worker: 'fleet',
  spec: PlacementSpec,
  status: PlacementStatus,
  needs: ['places'],
  refs: () => [],
  intervalMs: () => 10 * 60_000,
  suspended: () => false,
  timeoutMs: () => 30_000,
  observe: async (ctx, obj) => ctx.places.selectedBy(obj.definition),
  decide: (_obj, seen): Judged<typeof PlacementStatus> => {
    const status = { definitions: seen.definitions, clusters: [...seen.clusters] };
    const message = `${seen.definitions} definitions on ${seen.clusters.length} clusters`;
    return { is: 'ready', reason: 'Succeeded', message, revision: '', shown: { status } };
  },
  act: async () => ({}),
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'forgotten', revision: '' }),
});
