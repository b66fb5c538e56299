import { createHash } from 'node:crypto';
import type { Helm, ReleaseRecord } from '#core/helm.ts';
import { at, canonicalJson, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import type { HelmReleaseStatus, Snapshot } from './status.ts';

/** How digests are made since they are keyed; the plain ones before said v2. */
const KEYED = 'v3';

type Keys = Pick<Helm, 'keyed'>;

/**
 * What is kept of records in status: identity, versions, digests under the tenant's key, tests. Nothing of values or manifests, and nothing that a guess of them can be tested
 * with (threats B15).
 */
export function snapshotsOf(keys: Keys, records: readonly ReleaseRecord[]): Promise<readonly Snapshot[]> {
  return Promise.all(records.map((record) => keyedSnapshot(keys, plainSnapshot(record))));
}

/** The entry with keyed digests; one that has them comes back as it is. A plain digest that stands in an old status becomes exactly what it would be today. */
export async function keyedSnapshot(keys: Keys, one: Snapshot): Promise<Snapshot> {
  if (isKeyed(one)) return one;
  return { ...one, apiVersion: KEYED, digest: await keys.keyed(one.digest), configDigest: await keys.keyed(one.configDigest) };
}

export function isKeyed({ apiVersion }: Snapshot): boolean {
  return apiVersion === KEYED;
}

/** Pure. */
function plainSnapshot(record: ReleaseRecord): Snapshot {
  const { release } = record;
  const metadata = at(release, 'chart', 'metadata');
  const appVersion = textAt(metadata, 'appVersion');
  const testHooks = testHooksOf(release);
  return {
    apiVersion: 'v2',
    digest: recordDigest(record),
    name: record.name,
    namespace: record.namespace,
    version: record.version,
    status: record.status,
    chartName: textAt(metadata, 'name') ?? '',
    chartVersion: textAt(metadata, 'version') ?? '',
    ...(appVersion === undefined ? {} : { appVersion }),
    configDigest: digestOf(at(release, 'config') ?? {}),
    firstDeployed: timeAt(release, 'first_deployed'),
    lastDeployed: timeAt(release, 'last_deployed'),
    ...(testHooks === null ? {} : { testHooks }),
  };
}

export function digestOf(value: Json): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}

/** Moves with everything that makes the release what it is, blank lines of manifests included, and not with status, times and tests that run later. */
function recordDigest({ name, namespace, version, release }: ReleaseRecord): string {
  const hooks = hooksOf(release).map((hook) => [textAt(hook, 'path') ?? '', textAt(hook, 'manifest') ?? '']);
  return digestOf([
    name,
    namespace,
    version,
    at(release, 'chart', 'metadata') ?? null,
    at(release, 'config') ?? null,
    textAt(release, 'manifest') ?? '',
    hooks,
  ]);
}

function hooksOf(release: JsonObject): readonly JsonObject[] {
  const hooks = at(release, 'hooks');
  return Array.isArray(hooks) ? hooks.filter(isObject) : [];
}

function isTest(hook: JsonObject): boolean {
  const events = at(hook, 'events');
  return Array.isArray(events) && events.some((event) => event === 'test' || event === 'test-success');
}

/** How each test of the record went; null when none ever ran for it, which is untested (definitions.md section 8, fact 5). */
function testHooksOf(release: JsonObject): NonNullable<Snapshot['testHooks']> | null {
  const ran = hooksOf(release)
    .filter(isTest)
    .flatMap((hook): readonly [string, NonNullable<Snapshot['testHooks']>[string]][] => {
      const phase = textAt(hook, 'last_run', 'phase') ?? '';
      if (phase === '') return [];
      return [
        [textAt(hook, 'name') ?? '', { lastStarted: timeIn(hook, 'started_at'), lastCompleted: timeIn(hook, 'completed_at'), phase }],
      ];
    });
  return ran.length === 0 ? null : Object.fromEntries(ran);
}

export function hasTests(record: ReleaseRecord): boolean {
  return hooksOf(record.release).some(isTest);
}

function timeIn(hook: JsonObject, field: string): string {
  return shortTime(textAt(hook, 'last_run', field) ?? '');
}

function timeAt(release: JsonObject, field: string): string {
  return shortTime(textAt(release, 'info', field) ?? '');
}

/** Helm writes nanoseconds and an offset; status has seconds in UTC. */
function shortTime(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? '' : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** True for a release that a killed helm left locked. */
export function isLocked({ status }: Pick<Snapshot, 'status'>): boolean {
  return status.startsWith('pending-');
}

export function isGone({ status }: Pick<Snapshot, 'status'>): boolean {
  return status === 'uninstalled';
}

/** A release that carries our label, or that status knows; never one of somebody else under the same name. */
export async function isOurs(
  keys: Keys,
  { deliveryId, status }: Readonly<{ deliveryId: string; status: HelmReleaseStatus | null }>,
  record: ReleaseRecord,
): Promise<boolean> {
  if (record.secret.deliveryLabel === deliveryId) return true;
  const digest = await keys.keyed(recordDigest(record));
  const known = await Promise.all((status?.history ?? []).map((one) => keyedSnapshot(keys, one)));
  return known.some((one) => one.version === record.version && one.digest === digest);
}

/** `apps/podinfo.v3`, as Flux names a record in messages. */
export function shownRecord({ namespace, name, version }: Pick<Snapshot, 'namespace' | 'name' | 'version'>): string {
  return `${namespace}/${name}.v${version}`;
}
