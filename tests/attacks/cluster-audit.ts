import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import Value from 'typebox/value';
import type { SharedCluster } from '#tests/harness/parts.ts';

/** One request that a cluster's API server finished, as its own audit log tells it. */
export type Audited = Readonly<{
  verb: string;
  user: string;
  agent: string;
  resource: string;
  namespace: string;
  name: string;
  code: number;
}>;

const Line = Type.Object({
  stage: Type.String(),
  verb: Type.String(),
  userAgent: Type.Optional(Type.String()),
  user: Type.Object({ username: Type.Optional(Type.String()) }),
  objectRef: Type.Optional(
    Type.Object({
      resource: Type.Optional(Type.String()),
      subresource: Type.Optional(Type.String()),
      namespace: Type.Optional(Type.String()),
      name: Type.Optional(Type.String()),
    }),
  ),
  responseStatus: Type.Optional(Type.Object({ code: Type.Optional(Type.Integer()) })),
});

/** What the plane itself asked of the cluster, oldest first; the operator's and the tests' own requests are left out. */
export async function askedByPlane(cluster: Pick<SharedCluster, 'auditLogPath'>): Promise<readonly Audited[]> {
  const text = await readFile(cluster.auditLogPath, 'utf8');
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    const raw: unknown = JSON.parse(line);
    if (!Value.Check(Line, raw)) throw new Error(`no audit entry: ${line.slice(0, 200)}`);
    if (raw.stage !== 'ResponseComplete' || raw.userAgent?.startsWith('weir/') !== true) return [];
    const { resource = '', subresource, namespace = '', name = '' } = raw.objectRef ?? {};
    return [
      {
        verb: raw.verb,
        user: raw.user.username ?? '',
        agent: raw.userAgent,
        resource: subresource === undefined ? resource : `${resource}/${subresource}`,
        namespace,
        name,
        code: raw.responseStatus?.code ?? 0,
      },
    ];
  });
}
