import type { ClusterEntry } from '#core/helm.ts';

/** A kubeconfig for one run: helm speaks TLS with the real API server, by its real name, through the forwarder. JSON is YAML. Pure. */
export function throwAwayKubeconfig(entry: ClusterEntry, namespace: string): string {
  const url = new URL(entry.server);
  const cluster = {
    server: `https://127.0.0.1:6443${url.pathname.replace(/\/+$/, '')}`,
    'tls-server-name': url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(entry.caPem === '' ? {} : { 'certificate-authority-data': Buffer.from(entry.caPem).toString('base64') }),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster }],
    users: [{ name: 'tenant', user: userOf(entry.credential) }],
    contexts: [{ name: 'run', context: { cluster: 'cluster', user: 'tenant', namespace } }],
    'current-context': 'run',
  });
}

function userOf(credential: ClusterEntry['credential']) {
  switch (credential.is) {
    case 'token':
      return { token: credential.token };
    case 'certificate':
      return {
        'client-certificate-data': Buffer.from(credential.certificatePem).toString('base64'),
        'client-key-data': Buffer.from(credential.keyPem).toString('base64'),
      };
  }
}
