import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { type HelmChartNeed, observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { HelmChartSpec, HelmChartStatus } from './schema.ts';

/** One download, and the time to read the source and to pack. */
const passTimeoutMs = 180_000;

/** Flux's HelmChart: a version of a chart, or a chart in a source, becomes an artifact. */
export const helmChartKind = defineKind<'definition', typeof HelmChartSpec, typeof HelmChartStatus, HelmChartNeed, Seen, Act>({
  resource,
  unit: 'definition',
  worker: 'source',
  spec: HelmChartSpec,
  status: HelmChartStatus,
  needs: ['lookup', 'secrets', 'artifacts', 'charts', 'registry', 'sigstore', 'patterns'],
  refs: ({ sourceRef }, namespace) =>
    (['artifact', 'change'] as const).map((on) => ({ kind: sourceRef.kind, namespace, name: sourceRef.name, on })),
  intervalMs: (spec) => durationMs(spec.interval, 0),
  suspended: (spec) => spec.suspend === true,
  timeoutMs: () => passTimeoutMs,
  observe,
  decide,
  act,
  // The artifact store collects what no status names any more.
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'the artifact is left to collection', revision: '' }),
});
