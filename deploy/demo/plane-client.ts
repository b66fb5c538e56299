import { Agent, type RequestOptions, request } from 'node:https';
import { isObject, type Json, type JsonObject, parseJson, stringifyJson, textAt } from '#core/json.ts';

/** Who calls the plane, and where it is. */
export type PlaneUser = Readonly<{ url: string; caPem: string; token: string }>;
export type PlaneAnswer = Readonly<{ status: number; body: JsonObject }>;

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;

export class PlaneError extends Error {
  readonly status: number;
  constructor(method: string, path: string, answer: PlaneAnswer) {
    super(`${method} ${path}: ${answer.status} ${textAt(answer.body, 'message') ?? ''}`);
    this.name = 'PlaneError';
    this.status = answer.status;
  }
}

/** One request to the plane as this user; any status is answered. Throws when there is no answer in time. */
export async function callPlane(
  user: PlaneUser,
  method: string,
  path: string,
  body?: Json,
  contentType = 'application/json',
): Promise<PlaneAnswer> {
  const agent = new Agent({ keepAlive: false });
  const options: RequestOptions = {
    method,
    agent,
    ca: user.caPem,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      authorization: `Bearer ${user.token}`,
      accept: 'application/json',
      'user-agent': 'weir-demo',
      ...(body === undefined ? {} : { 'content-type': contentType }),
    },
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, user.url), options, (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BYTES) incoming.destroy(new Error(`the answer of ${path} is above ${MAX_BYTES} bytes`));
        else chunks.push(chunk);
      });
      incoming.once('error', reject);
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body: jsonObject(Buffer.concat(chunks).toString('utf8')) }));
    });
    outgoing.once('error', reject);
    outgoing.end(body === undefined ? undefined : stringifyJson(body));
  });
}

/** As callPlane; throws PlaneError unless the answer is 2xx. */
export async function expectPlane(user: PlaneUser, method: string, path: string, body?: Json, contentType?: string): Promise<JsonObject> {
  const answer = await callPlane(user, method, path, body, contentType);
  if (answer.status < 200 || answer.status > 299) throw new PlaneError(method, path, answer);
  return answer.body;
}

function jsonObject(text: string): JsonObject {
  const parsed = text === '' ? {} : parseJson(text);
  return isObject(parsed) ? parsed : {};
}

const PLURALS: Readonly<Record<string, string>> = Object.freeze({
  Namespace: 'namespaces',
  Secret: 'secrets',
  ServiceAccount: 'serviceaccounts',
  ConfigMap: 'configmaps',
  Tenant: 'tenants',
  Cluster: 'clusters',
  ClusterGrant: 'clustergrants',
  Placement: 'placements',
  Delivery: 'deliveries',
  Receiver: 'receivers',
  GitRepository: 'gitrepositories',
  Bucket: 'buckets',
  HelmRepository: 'helmrepositories',
  HelmChart: 'helmcharts',
  ExternalArtifact: 'externalartifacts',
  ArtifactGenerator: 'artifactgenerators',
  HelmRelease: 'helmreleases',
  OCIRepository: 'ocirepositories',
  Kustomization: 'kustomizations',
  ImageRepository: 'imagerepositories',
  ImagePolicy: 'imagepolicies',
  ImageUpdateAutomation: 'imageupdateautomations',
});

/** Path of a collection in the API. */
export function collectionPath(apiVersion: string, kind: string, namespace?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = PLURALS[kind];
  if (plural === undefined) throw new Error(`the demo does not know the kind ${kind}`);
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}
