import { at, canonicalJson, type JsonObject } from '#core/json.ts';
import type { Lookup, OwnedObject } from '#core/ports.ts';
import type { HelmReleaseObj } from './observe.ts';
import { ownChartOf } from './source.ts';

const GROUP = 'helm.toolkit.fluxcd.io';

export function ownerLabels({ definition }: Pick<HelmReleaseObj, 'definition'>): Readonly<Record<string, string>> {
  return { [`${GROUP}/name`]: definition.name, [`${GROUP}/namespace`]: definition.namespace };
}

/** The HelmChart of `spec.chart` as it should be, or null when the release names an existing source. Pure. */
export function ownChart(obj: Pick<HelmReleaseObj, 'definition' | 'spec'>): OwnedObject | null {
  const { definition, spec } = obj;
  const reference = ownChartOf(definition, spec);
  if (reference === null || spec.chart === undefined) return null;
  const { chart, version, sourceRef, interval, reconcileStrategy, valuesFiles, ignoreMissingValuesFiles, verify } = spec.chart.spec;
  const made: JsonObject = {
    chart,
    version: version ?? '*',
    sourceRef: { kind: sourceRef.kind, name: sourceRef.name },
    interval: interval ?? spec.interval,
    reconcileStrategy: reconcileStrategy ?? 'ChartVersion',
    ...(valuesFiles === undefined ? {} : { valuesFiles }),
    ...(ignoreMissingValuesFiles === undefined ? {} : { ignoreMissingValuesFiles }),
    ...(verify === undefined
      ? {}
      : { verify: { provider: verify.provider, ...(verify.secretRef === undefined ? {} : { secretRef: verify.secretRef }) } }),
  };
  return {
    kind: 'HelmChart',
    namespace: reference.namespace,
    name: reference.name,
    labels: { ...(spec.chart.metadata?.labels ?? {}), ...ownerLabels(obj) },
    annotations: spec.chart.metadata?.annotations ?? {},
    spec: made,
  };
}

/** Why the generated HelmChart has to be written, or taken away since the release names another source now. Null when all is as it should be. */
export async function isMissingOwnChart(
  lookup: Lookup,
  obj: HelmReleaseObj,
): Promise<Readonly<{ is: 'write' | 'foreign'; why: string }> | null> {
  const wanted = ownChart(obj);
  const former = obj.status?.helmChart;
  const shown = wanted === null ? null : `${wanted.namespace}/${wanted.name}`;
  if (former !== undefined && former !== '' && former !== shown) return { is: 'write', why: `HelmChart ${former} is no longer used` };
  if (wanted === null) return null;
  if (wanted.namespace !== obj.definition.namespace && !(await lookup.namespaces()).includes(wanted.namespace))
    return {
      is: 'foreign',
      why: `can't access '${wanted.kind}/${shown}': spec.chart.spec.sourceRef.namespace must be a namespace of this tenant`,
    };
  const found = await lookup.get({ kind: 'HelmChart', namespace: wanted.namespace, name: wanted.name });
  if (found === null || found.deletingAtMs !== null) return { is: 'write', why: `HelmChart ${shown} does not exist` };
  const differs =
    canonicalJson(at(found.body, 'spec') ?? null) !== canonicalJson(wanted.spec) ||
    !isWithin(wanted.labels, found.labels) ||
    !isWithin(wanted.annotations, found.annotations);
  if (differs) return { is: 'write', why: `HelmChart ${shown} differs from spec.chart` };
  return former === shown ? null : { is: 'write', why: `HelmChart ${shown} is not noted in status yet` };
}

function isWithin(wanted: Readonly<Record<string, string>>, found: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => found[key] === value);
}
