import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, issueCertificate, type KeyAndCertificate } from '#adapters/x509/issue.ts';
import type { ClusterAdmin } from '#deploy/local/cluster-api.ts';
import { kwokStages } from '#deploy/local/kwok-stages.ts';

/** A kubeconfig with one cluster, one user and one context, in the shape of client-go. JSON is YAML, so it is written as JSON. */
export type Kubeconfig = Readonly<{
  apiVersion: 'v1';
  kind: 'Config';
  'current-context': string;
  clusters: readonly Readonly<{ name: string; cluster: Readonly<{ server: string; 'certificate-authority-data': string }> }>[];
  users: readonly Readonly<{ name: string; user: Readonly<{ 'client-certificate-data': string; 'client-key-data': string }> }>[];
  contexts: readonly Readonly<{ name: string; context: Readonly<{ cluster: string; user: string }> }>[];
}>;

/** The files of one cluster, all below one folder of mode 0700. */
export type ClusterFiles = Readonly<{
  admin: ClusterAdmin;
  adminKubeconfig: Kubeconfig;
  auditLogPath: string;
  paths: Readonly<{
    dir: string;
    ca: string;
    serverCertificate: string;
    serverKey: string;
    serviceAccountKey: string;
    serviceAccountPublicKey: string;
    auditPolicy: string;
    adminKubeconfig: string;
    controllerManagerKubeconfig: string;
    schedulerKubeconfig: string;
    kwokKubeconfig: string;
    kwokStages: string;
  }>;
}>;

const validMs = 365 * 86_400_000;
/** First address of the service range: how pods reach the API server. */
const serviceAddress = '10.0.0.1';

/** Writes a fresh authority, keys, certificates, kubeconfigs, audit policy and Stages for a cluster on the given port. */
export async function writeClusterFiles(dir: string, name: string, port: number): Promise<ClusterFiles> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const nowMs = Date.now();
  const server = `https://127.0.0.1:${port}`;
  const paths = pathsIn(dir);
  const authority = await createAuthority({ commonName: `${name} cluster CA`, validMs, nowMs });
  const serving = await issueCertificate(authority, {
    commonName: 'kube-apiserver',
    usage: 'server',
    names: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
    addresses: ['127.0.0.1', serviceAddress],
    validMs,
    nowMs,
  });
  const kubeconfigFor = async (user: string, organizations: readonly string[]): Promise<[Kubeconfig, KeyAndCertificate]> => {
    const client = await issueCertificate(authority, { commonName: user, organizations, usage: 'client', validMs, nowMs });
    return [kubeconfig(name, server, authority.certificatePem, user, client), client];
  };
  const [adminKubeconfig, adminPair] = await kubeconfigFor('kubernetes-admin', ['system:masters']);
  // One user for all controllers costs one set of watches; it is a system user by name, so an audit can tell it from tenants.
  const [controllerManager] = await kubeconfigFor('system:kube-controller-manager', ['system:masters']);
  const [scheduler] = await kubeconfigFor('system:kube-scheduler', ['system:masters']);
  const [kwok] = await kubeconfigFor('system:kwok', ['system:masters']);
  const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  const write = (path: string, text: string): Promise<void> => writeFile(path, text, { mode: 0o600 });
  await write(paths.ca, authority.certificatePem);
  await write(paths.serverCertificate, serving.certificatePem);
  await write(paths.serverKey, serving.keyPem);
  await write(paths.serviceAccountKey, signing.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  await write(paths.serviceAccountPublicKey, signing.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  await write(paths.auditPolicy, JSON.stringify(auditPolicy));
  await write(paths.adminKubeconfig, JSON.stringify(adminKubeconfig, null, 2));
  await write(paths.controllerManagerKubeconfig, JSON.stringify(controllerManager));
  await write(paths.schedulerKubeconfig, JSON.stringify(scheduler));
  await write(paths.kwokKubeconfig, JSON.stringify(kwok));
  await write(paths.kwokStages, kwokStages());
  return {
    admin: { server, caPem: authority.certificatePem, certificatePem: adminPair.certificatePem, keyPem: adminPair.keyPem },
    adminKubeconfig,
    auditLogPath: join(dir, 'audit.log'),
    paths,
  };
}

function pathsIn(dir: string): ClusterFiles['paths'] {
  return {
    dir,
    ca: join(dir, 'ca.crt'),
    serverCertificate: join(dir, 'server.crt'),
    serverKey: join(dir, 'server.key'),
    serviceAccountKey: join(dir, 'service-account.key'),
    serviceAccountPublicKey: join(dir, 'service-account.pub'),
    auditPolicy: join(dir, 'audit-policy.yaml'),
    adminKubeconfig: join(dir, 'admin.kubeconfig'),
    controllerManagerKubeconfig: join(dir, 'controller-manager.kubeconfig'),
    schedulerKubeconfig: join(dir, 'scheduler.kubeconfig'),
    kwokKubeconfig: join(dir, 'kwok.kubeconfig'),
    kwokStages: join(dir, 'kwok-stages.yaml'),
  };
}

/** Who did what to which object, without bodies; only the answer's stage, and not the events and leases of the cluster's own upkeep. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'None',
      users: ['system:apiserver', 'system:kube-controller-manager', 'system:kube-scheduler', 'system:kwok'],
      verbs: ['get', 'list', 'watch'],
    },
    { level: 'None', users: ['system:apiserver', 'system:kwok'], resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'Metadata' },
  ],
} as const;

function kubeconfig(name: string, server: string, caPem: string, user: string, client: KeyAndCertificate): Kubeconfig {
  const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': encode(caPem) } }],
    users: [{ name: user, user: { 'client-certificate-data': encode(client.certificatePem), 'client-key-data': encode(client.keyPem) } }],
    contexts: [{ name, context: { cluster: name, user } }],
  };
}
