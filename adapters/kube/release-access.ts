import type { CredentialSource, Session } from '#adapters/kube/session.ts';
import { AppError } from '#core/errors.ts';
import type { ClusterEntry } from '#core/helm.ts';
import { at, isObject, type JsonObject, stringifyJson, textAt } from '#core/json.ts';
import { itemsOf, messageOf } from './answer.ts';
import { readTimeoutMs, writeTimeoutMs } from './objects.ts';
import { collectionPath, objectPath, type ResourceType } from './paths.ts';

/** Records of Helm releases and the way to the cluster for helm itself, as one account. */
export type ReleaseAccess = Readonly<{
  entry(signal: AbortSignal): Promise<ClusterEntry>;
  /** Secrets in which helm keeps the records of one release, in one namespace. One request. Throws AppError clusterAnswer, clusterUnreachable, clusterRefused, tooLarge. */
  records(namespace: string, release: string, signal: AbortSignal): Promise<readonly JsonObject[]>;
  /** Writes a record back by its resourceVersion. Throws AppError conflict when somebody wrote in between, else as `records`. */
  replace(secret: JsonObject, signal: AbortSignal): Promise<void>;
}>;

type Place = Readonly<{
  server: string;
  caPem: string;
  session: Session;
  source: CredentialSource;
  certificate: Readonly<{ certificatePem: string; keyPem: string }> | null;
}>;

const SECRETS: ResourceType = Object.freeze({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  verbs: Object.freeze(['get', 'list', 'update']),
});
/** A record is at most 1 MiB of etcd; a history beyond this many bytes is no history that helm keeps. */
const maxListBytes = 64 * 1024 * 1024;

export function createReleaseAccess({ server, caPem, session, source, certificate }: Place): ReleaseAccess {
  return Object.freeze({
    async entry(signal: AbortSignal): Promise<ClusterEntry> {
      const credential = await source.get(signal);
      if (credential.is === 'tenant') return { server, caPem, credential: { is: 'token', token: credential.value } };
      if (certificate === null) throw new Error('a certificate credential without its certificate');
      return { server, caPem, credential: { is: 'certificate', ...certificate } };
    },
    async records(namespace: string, release: string, signal: AbortSignal): Promise<readonly JsonObject[]> {
      const answer = await session.request({
        method: 'GET',
        path: collectionPath(SECRETS, namespace),
        query: { labelSelector: `owner=helm,name=${release}` },
        accept: 'application/json',
        timeoutMs: readTimeoutMs,
        maxBytes: maxListBytes,
        signal,
      });
      const items = answer.status === 200 ? itemsOf(answer) : null;
      if (items !== null) return items;
      if (answer.status === 403)
        throw new AppError(
          'clusterAnswer',
          `${session.account} may not list Secrets in ${namespace}, where helm keeps its records: ${messageOf(answer)}`,
        );
      throw new AppError(
        answer.status >= 500 ? 'clusterUnreachable' : 'clusterAnswer',
        `cluster ${session.clusterName}: ${messageOf(answer)}`,
      );
    },
    async replace(secret: JsonObject, signal: AbortSignal): Promise<void> {
      const metadata = at(secret, 'metadata');
      const namespace = textAt(secret, 'metadata', 'namespace');
      const name = textAt(secret, 'metadata', 'name');
      if (!isObject(metadata) || namespace === undefined || name === undefined) throw new Error('a Secret without a name');
      const answer = await session.request({
        method: 'PUT',
        path: objectPath(SECRETS, namespace, name),
        body: stringifyJson({ ...secret, apiVersion: 'v1', kind: 'Secret' }),
        contentType: 'application/json',
        timeoutMs: writeTimeoutMs,
        maxBytes: maxListBytes,
        signal,
      });
      if (answer.status === 200) return;
      if (answer.status === 409) throw new AppError('conflict', `the record ${name} changed in between`);
      throw new AppError(
        answer.status >= 500 ? 'clusterUnreachable' : 'clusterAnswer',
        `cluster ${session.clusterName}: ${messageOf(answer)}`,
      );
    },
  });
}
