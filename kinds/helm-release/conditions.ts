import type { ExtraCondition } from '#core/outcome.ts';
import { shownRecord } from './records.ts';
import type { HelmReleaseStatus, Snapshot } from './status.ts';

export type ShownCondition = NonNullable<HelmReleaseStatus['conditions']>[number];

export function conditionNow(status: HelmReleaseStatus | null, type: string): ShownCondition | null {
  return status?.conditions?.find((one) => one.type === type) ?? null;
}

/** `apps/podinfo.v2 with chart podinfo@6.5.0`. */
export function describeRelease(one: Snapshot): string {
  return `${shownRecord(one)} with chart ${one.chartName}@${one.chartVersion}`;
}

const WORDS: Readonly<Record<string, string>> = Object.freeze({
  InstallSucceeded: 'Helm install succeeded',
  UpgradeSucceeded: 'Helm upgrade succeeded',
  TestSucceeded: 'Helm test succeeded',
  RollbackSucceeded: 'Helm rollback to',
});

/** As Flux words it, so that its users and dashboards find what they know. */
export function succeeded(reason: string, one: Snapshot): string {
  return `${WORDS[reason] ?? reason} for release ${describeRelease(one)}`;
}

export function condition(type: string, status: 'True' | 'False', reason: string, message: string): ExtraCondition {
  return { type, status, reason, message };
}

export function without(...types: readonly string[]): readonly ExtraCondition[] {
  return types.map((type) => ({ type, status: null }));
}
