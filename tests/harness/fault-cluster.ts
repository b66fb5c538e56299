import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import Type from 'typebox';
import Value from 'typebox/value';
import { DELIVERY_LABEL, FENCE_ANNOTATION } from '#core/object-id.ts';
import type { ClusterAdmin } from '#deploy/local/cluster-api.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import type { Deletion, LiveObject, Seen } from '#tests/harness/fault-checker.ts';

const ConfigMap = Type.Object({
  metadata: Type.Object({
    name: Type.String(),
    namespace: Type.String(),
    uid: Type.String(),
    annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
  }),
  data: Type.Optional(Type.Record(Type.String(), Type.String())),
});
const ConfigMapList = Type.Object({ metadata: Type.Object({ resourceVersion: Type.String() }), items: Type.Array(ConfigMap) });
const WatchEvent = Type.Object({ type: Type.Enum(['ADDED', 'MODIFIED', 'DELETED']), object: ConfigMap });

/** The fault tests deliver ConfigMaps only: an inventory id of one. */
export function idOf(namespace: string, name: string): string {
  return `${namespace}_${name}__ConfigMap`;
}

/** Every ConfigMap on the cluster with our label. */
export async function liveObjects(admin: ClusterAdmin): Promise<readonly LiveObject[]> {
  return (await list(admin)).items.map((one) => ({
    id: idOf(one.metadata.namespace, one.metadata.name),
    uid: one.metadata.uid,
    fence: Number(one.metadata.annotations?.[FENCE_ANNOTATION] ?? 0),
    content: one.data?.['value'] ?? '',
  }));
}

async function list(admin: ClusterAdmin) {
  const { status, body } = await callCluster(admin, { method: 'GET', path: `/api/v1/configmaps?labelSelector=${DELIVERY_LABEL}` });
  if (!Value.Check(ConfigMapList, body)) throw new Error(`list of ConfigMaps: ${status}`);
  return body;
}

/** What a watch sees from now on, in the order of the API server. An outage ends it: `isWhole` says whether nothing is missing. */
export type Watching = Readonly<{ seen(): readonly Seen[]; isWhole(): boolean; stop(): void }>;

export async function watchObjects(admin: ClusterAdmin): Promise<Watching> {
  const { resourceVersion } = (await list(admin)).metadata;
  const seen: Seen[] = [];
  const state = { whole: true, stopped: false };
  const path = `/api/v1/configmaps?watch=1&labelSelector=${DELIVERY_LABEL}&resourceVersion=${resourceVersion}&timeoutSeconds=1200`;
  const { server, caPem, certificatePem, keyPem } = admin;
  const options = { agent: new Agent({ keepAlive: false }), ca: caPem, cert: certificatePem, key: keyPem };
  const ended = (): void => {
    if (!state.stopped) state.whole = false;
  };
  const outgoing = request(new URL(path, server), { ...options, headers: { 'user-agent': 'fault-observer' } }, (incoming) => {
    let rest = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) seen.push(eventOf(line));
    });
    incoming.once('error', ended);
    incoming.once('end', ended);
  });
  outgoing.once('error', ended);
  outgoing.end();
  return {
    seen: () => [...seen],
    isWhole: () => state.whole,
    stop: () => {
      state.stopped = true;
      outgoing.destroy();
    },
  };
}

function eventOf(line: string): Seen {
  const event: unknown = JSON.parse(line);
  if (!Value.Check(WatchEvent, event)) throw new Error(`no watch event: ${line.slice(0, 200)}`);
  const { metadata } = event.object;
  return {
    id: idOf(metadata.namespace, metadata.name),
    uid: metadata.uid,
    type: event.type,
    fence: Number(metadata.annotations?.[FENCE_ANNOTATION] ?? 0),
  };
}

const AuditLine = Type.Object({
  stage: Type.String(),
  verb: Type.String(),
  userAgent: Type.Optional(Type.String()),
  user: Type.Object({ username: Type.Optional(Type.String()) }),
  requestReceivedTimestamp: Type.String(),
  objectRef: Type.Optional(
    Type.Object({ resource: Type.Optional(Type.String()), namespace: Type.Optional(Type.String()), name: Type.Optional(Type.String()) }),
  ),
  responseStatus: Type.Optional(Type.Object({ code: Type.Optional(Type.Integer()) })),
});

/** One finished request of the plane on ConfigMaps that changed something. */
export type Written = Deletion & Readonly<{ verb: string }>;

/** Everything that the plane wrote on ConfigMaps, by the cluster's own audit log. */
export async function writesOf(cluster: Readonly<{ auditLogPath: string }>): Promise<readonly Written[]> {
  const text = await readFile(cluster.auditLogPath, 'utf8');
  return text.split('\n').flatMap((line) => {
    if (line === '' || !line.includes('"configmaps"') || !line.endsWith('}')) return [];
    const raw: unknown = JSON.parse(line);
    if (!Value.Check(AuditLine, raw)) throw new Error(`no audit entry: ${line.slice(0, 200)}`);
    const isWrite = ['create', 'update', 'patch', 'delete', 'deletecollection'].includes(raw.verb);
    if (raw.stage !== 'ResponseComplete' || !isWrite || raw.userAgent?.startsWith('weir/') !== true) return [];
    if ((raw.responseStatus?.code ?? 0) > 299) return [];
    const { namespace = '', name = '' } = raw.objectRef ?? {};
    return [{ id: idOf(namespace, name), verb: raw.verb, user: raw.user.username ?? '', atMs: Date.parse(raw.requestReceivedTimestamp) }];
  });
}
