import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTar } from '#adapters/blob/read-tar.ts';
import { packageFacts } from '#adapters/chart/package.ts';
import type { Helm as HelmProgram } from '#adapters/helm/helm.ts';
import { manifestText } from '#adapters/helm/manifest-text.ts';
import { asFailed, readRecord } from '#adapters/helm/storage.ts';
import type { ReleaseAccess } from '#adapters/kube/release-access.ts';
import { splitDocuments } from '#adapters/kustomize/objects.ts';
import { parseYaml, readDocuments } from '#adapters/kustomize/off-thread.ts';
import { patchObjects } from '#adapters/kustomize/patch-objects.ts';
import { YamlError } from '#adapters/kustomize/yaml.ts';
import { artifactOwned } from '#adapters/postgres/artifacts.ts';
import { type DigestKey, digestKey } from '#adapters/postgres/digest-key.ts';
import { AppError } from '#core/errors.ts';
import type { ChartFacts, Helm, KustomizePatches, ReleaseName, ReleaseRecord } from '#core/helm.ts';
import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import { DELIVERY_LABEL } from '#core/object-id.ts';
import type { Manifest } from '#core/ports.ts';
import { tenantKey } from '#core/tenant.ts';
import { type Asking, releasesFor } from './cluster.ts';

/** Status keeps twenty; older ones are never looked at. */
const MAX_RECORDS = 25;
/** Unpacked, all together: a record is a zip of what a cluster says. */
const MAX_RECORDS_BYTES = 128 * 1024 * 1024;
/** A Secret holds at most 1 MiB. */
const MAX_VALUES_BYTES = 2 * 1024 * 1024;

/**
 * Helm for one delivery: charts that this tenant's own sources brought (threats B2), records and releases on its cluster as its account. Whatever helm is about
 * to apply passes `postRender` first (B13).
 */
export async function helmFor(asking: Asking): Promise<Helm> {
  const { adapters, scope } = asking;
  const held: { key: Promise<DigestKey> | null } = { key: null };
  const releases = await releasesFor(asking);
  const program = (): HelmProgram => {
    if (adapters.helm.program !== null) return adapters.helm.program;
    throw new AppError('sandboxUnavailable', 'this worker has no helm: set WEIR_HELM and WEIR_HELM_INSIDE to the pinned programs');
  };
  const pathOf = async (chart: ChartFacts, signal: AbortSignal) => (await adapters.artifacts.open(chart.digest, signal)).path;
  // What an API server says of its kinds is lent to this tenant's own runs as the same account, and to nobody else's.
  const cacheKey = cacheKeyOf(asking);
  const clusterOf = async (signal: AbortSignal) => ({ ...(await releases.entry(signal)), cacheKey });
  return Object.freeze({
    chart: (digest: string, metadata: string | null, signal: AbortSignal) => chartOf(asking, digest, metadata, signal),
    crds: async (chart: ChartFacts, signal: AbortSignal) => {
      if (!chart.hasCrds) return [];
      const objects = await objectsIn(await program().crds(await pathOf(chart, signal), signal), signal);
      // What else lies in crds/ is left alone, as helm-controller does.
      return objects.filter((one) => textAt(one, 'kind') === 'CustomResourceDefinition');
    },
    records: (release: ReleaseName, signal: AbortSignal) => recordsOf(releases, release, signal),
    objectsOf: (record: ReleaseRecord, signal: AbortSignal) => objectsIn(textAt(record.release, 'manifest') ?? '', signal),
    hooksOf: (record: ReleaseRecord, signal: AbortSignal) => objectsIn(hookText(record), signal),
    apply: async ({ release, chart, values, labels, action, postRender }: Parameters<Helm['apply']>[0], signal: AbortSignal) => {
      const chartPath = await pathOf(chart, signal);
      const render = async (text: string) => manifestText(await postRender(await objectsIn(text, signal)));
      await program().perform(release, await clusterOf(signal), { chartPath, values, labels, postRender: render }, action, signal);
    },
    listed: async ({ release, chart, values, action }: Parameters<Helm['listed']>[0], signal: AbortSignal) => {
      const seen: { list: readonly Manifest[] | null } = { list: null };
      // Twice safe: a dry run, and a list that is refused once it was seen.
      const enough = new AppError('clusterAnswer', 'a preview applies nothing');
      const postRender = async (text: string): Promise<string> => {
        seen.list = (await objectsIn(text, signal)).map(withoutFileName);
        throw enough;
      };
      const input = { chartPath: await pathOf(chart, signal), values, labels: {}, postRender };
      try {
        await program().perform(release, await clusterOf(signal), input, { ...action, dryRun: true }, signal);
      } catch (error) {
        if (error !== enough) throw error;
      }
      return seen.list ?? [];
    },
    perform: async (release: ReleaseName, action: Parameters<Helm['perform']>[1], signal: AbortSignal) => {
      await program().perform(release, await clusterOf(signal), null, action, signal);
    },
    unlock: async (record: ReleaseRecord, message: string, signal: AbortSignal) => {
      const secrets = await releases.records(record.namespace, record.name, signal);
      const secret = secrets.find((one) => textAt(one, 'metadata', 'uid') === record.secret.uid);
      if (secret === undefined || textAt(secret, 'metadata', 'resourceVersion') !== record.secret.resourceVersion)
        throw new AppError('conflict', `the record of release ${record.name} changed in between`);
      await releases.replace(asFailed(secret, message), signal);
    },
    readValues: async (text: string, from: 'Secret' | 'ConfigMap', signal: AbortSignal) => {
      try {
        const [values = null] = await parseYaml(text, MAX_VALUES_BYTES, signal);
        // The mask knows the Secret's text as a whole; helm and the API server quote single values of it.
        if (from === 'Secret') asking.mask.learn(textsIn(values).map((one) => Buffer.from(one)));
        return values;
      } catch (error) {
        if (error instanceof YamlError) throw new AppError('buildFailed', error.message);
        throw error;
      }
    },
    keyed: async (digest: string) => {
      held.key ??= adapters.db.inTenant(scope, (tx) => digestKey(tx, adapters.keys));
      return (await held.key).keyed(digest);
    },
    patch: (objects: readonly Manifest[], patches: KustomizePatches, signal: AbortSignal) =>
      patchObjects(adapters.helm.patch, objects, patches, signal),
  });
}

function cacheKeyOf({ scope, run, unit }: Asking): string {
  return tenantKey(scope, run.clusterId ?? '', textAt(unit.definition.body, 'spec', 'serviceAccountName') ?? '');
}

async function chartOf({ adapters, scope }: Asking, digest: string, metadata: string | null, signal: AbortSignal): Promise<ChartFacts> {
  const { db, artifacts, helm, charts } = adapters;
  if (!(await db.inTenant(scope, (tx) => artifactOwned(tx, digest))))
    throw new AppError('unavailable', 'the artifact is not there any more: the source has to be fetched again');
  const key = tenantKey(scope, `${digest} ${metadata ?? ''}`);
  const known = helm.facts.get(key);
  if (known !== undefined && (await artifacts.has(known.digest))) return known;
  const workDir = join(charts.workDir, randomUUID());
  try {
    const { path } = await artifacts.open(digest, signal);
    const facts = await packageFacts({ artifacts, parseYaml, readTar, workDir }, { digest, path }, metadata, signal);
    helm.facts.set(key, facts);
    return facts;
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function recordsOf(releases: ReleaseAccess, release: ReleaseName, signal: AbortSignal): Promise<readonly ReleaseRecord[]> {
  const secrets = await releases.records(release.namespace, release.name, signal);
  const newest = secrets.toSorted((one, other) => versionOf(other) - versionOf(one)).slice(0, MAX_RECORDS);
  const records: ReleaseRecord[] = [];
  let leftBytes = MAX_RECORDS_BYTES;
  for (const secret of newest) {
    const { bytes, ...record } = readRecord(secret, leftBytes);
    leftBytes -= bytes;
    // Where it lies says what it is a record of; what it says of itself would aim the next action elsewhere.
    if (record.name !== release.name || record.namespace !== release.namespace)
      throw new AppError(
        'clusterAnswer',
        `a record of release ${release.namespace}/${release.name} names another release: delete the Secret ${identityOf(secret).name}`,
      );
    records.push({ ...record, secret: identityOf(secret) });
  }
  return records.toSorted((one, other) => other.version - one.version);
}

/** As its label says, to choose which to unpack; what counts is in the record. */
function versionOf(secret: JsonObject): number {
  return Number(textAt(secret, 'metadata', 'labels', 'version') ?? 0) || 0;
}

function identityOf(secret: JsonObject): ReleaseRecord['secret'] {
  return {
    name: textAt(secret, 'metadata', 'name') ?? '',
    uid: textAt(secret, 'metadata', 'uid') ?? '',
    resourceVersion: textAt(secret, 'metadata', 'resourceVersion') ?? '',
    deliveryLabel: textAt(secret, 'metadata', 'labels', DELIVERY_LABEL) ?? null,
  };
}

function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

function hookText({ release }: ReleaseRecord): string {
  const hooks = at(release, 'hooks');
  return (Array.isArray(hooks) ? hooks : []).map((hook: Json) => `---\n${textAt(hook, 'manifest') ?? ''}\n`).join('');
}

/** Helm marks each object with the file it comes from, and takes the mark away after its post-renderer. */
function withoutFileName(object: Manifest): Manifest {
  const metadata = object['metadata'];
  const annotations = at(object, 'metadata', 'annotations');
  if (!isObject(metadata) || !isObject(annotations)) return object;
  const { 'postrenderer.helm.sh/postrender-filename': _file, ...others } = annotations;
  return { ...object, metadata: { ...metadata, annotations: others } };
}

/** Documents that hold anything but comments. Helm takes a list apart when it applies it, so its items are what is checked, labelled and counted (threats B13). */
async function objectsIn(text: string, signal: AbortSignal): Promise<readonly Manifest[]> {
  const texts = splitDocuments(text).filter((one) =>
    one.split('\n').some((line) => line.trim() !== '' && !line.trimStart().startsWith('#')),
  );
  return (await readDocuments(texts, signal)).flatMap((one) => itemsOf(one.object));
}

/**
 * What client-go, and helm with it, makes of one document: whatever has `items` is a list, of any kind and in any spelling that Go's JSON reader takes for it
 * (k8s.io/apimachinery unstructured `UnstructuredJSONScheme`). Throws AppError buildFailed for one that is no plain list of objects.
 */
function itemsOf(object: Manifest): readonly Manifest[] {
  const keys = Object.keys(object).filter((key) => key.toUpperCase() === 'ITEMS');
  if (keys.length === 0) return [object];
  const items = object['items'];
  const kind = textAt(object, 'kind') ?? 'an object';
  if (keys.length > 1 || !Array.isArray(items))
    throw new AppError(
      'buildFailed',
      `the chart renders ${kind} with a field '${keys[0]}', which helm reads as a list: it has to be 'items', a list of objects`,
    );
  return items.flatMap((item: Json) => {
    if (!isObject(item)) throw new AppError('buildFailed', `the chart renders ${kind} with an item that is no object`);
    return itemsOf(item);
  });
}
