import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ClusterAdmin, callCluster } from '#deploy/local/cluster-api.ts';
import { type SharedDemo, sharedDemo } from '#tests/harness/parts.ts';

let demo: SharedDemo;

beforeAll(async () => {
  demo = await sharedDemo();
});

async function adminOf(kubeconfig: string): Promise<ClusterAdmin> {
  const config = JSON.parse(await readFile(kubeconfig, 'utf8')) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const pem = (text: string | undefined) => Buffer.from(text ?? '', 'base64').toString('utf8');
  const cluster = config.clusters[0]?.cluster ?? {};
  const user = config.users[0]?.user ?? {};
  return {
    server: cluster['server'] ?? '',
    caPem: pem(cluster['certificate-authority-data']),
    certificatePem: pem(user['client-certificate-data']),
    keyPem: pem(user['client-key-data']),
  };
}

describe.each(['north', 'south'])('on %s', (name) => {
  test('the application of two overlays has real, ready replicas, a Service and an autoscaler', async () => {
    const cluster = demo.workloadClusters.find((one) => one.name === name);
    const admin = await adminOf(cluster?.kubeconfig ?? '');
    const get = async (path: string) =>
      (await callCluster(admin, { method: 'GET', path })).body as {
        status?: Record<string, unknown>;
        kind?: string;
        metadata?: { labels?: Record<string, string> };
        data?: Record<string, string>;
      };
    const deployment = await get('/apis/apps/v1/namespaces/apps-a/deployments/podinfo');
    expect(deployment.status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 2 });
    expect(deployment.metadata?.labels).toMatchObject({
      'kustomize.toolkit.fluxcd.io/name': 'podinfo',
      'kustomize.toolkit.fluxcd.io/namespace': 'team-a',
    });
    expect((await get('/api/v1/namespaces/apps-a/services/podinfo')).kind).toBe('Service');
    expect((await get('/apis/autoscaling/v2/namespaces/apps-a/horizontalpodautoscalers/podinfo')).kind).toBe('HorizontalPodAutoscaler');
    const staging = await callCluster(admin, { method: 'GET', path: '/apis/apps/v1/namespaces/apps-a/deployments/podinfo-staging' });
    expect(staging.status).toBe(name === 'north' ? 200 : 404);
    expect((await get('/api/v1/namespaces/apps-b/configmaps/shop-settings')).data?.['region']).toBe(name);
  });
});
