import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localServerCertificate, openLocalAuthority } from '#deploy/local/certificates.ts';
import { weir } from '#tests/cli/cli-harness.ts';
import { asPerson, caOf } from '#tests/cli/plane-access.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const api = useApi();
const dir = useTemporaryDir();

test('a kubeconfig with a token works by flag, by WEIR_KUBECONFIG and by KUBECONFIG', async () => {
  const { variables } = await asPerson(api, dir(), 'admin');
  const file = variables?.['WEIR_KUBECONFIG'] ?? '';
  for (const [extra, flags] of [
    [{}, ['--kubeconfig', file]],
    [{ WEIR_KUBECONFIG: file }, []],
    [{ KUBECONFIG: file }, []],
    [{}, ['--kubeconfig', file, '--context', 'plane']],
  ] as const) {
    const ran = await weir({ home: dir(), variables: extra }, 'get', 'namespaces', '-o', 'name', ...flags);
    expect([ran.code, ran.out, ran.err]).toEqual([0, 'namespace/acme\nnamespace/acme-prod\n', '']);
  }
  expect((await weir({ home: dir() }, 'get', 'namespaces', '--kubeconfig', file, '--context', 'nope')).code).toBe(2);
});

test('WEIR_TOKEN goes to the named plane, and never to the cluster of the current context', async () => {
  const authority = await openLocalAuthority(join(dir(), 'ca'), 'elsewhere');
  const { certificatePem, keyPem } = await localServerCertificate(authority, 'elsewhere');
  const asked: string[] = [];
  const elsewhere = createServer({ cert: certificatePem, key: keyPem }, (request, reply) => {
    asked.push(request.url ?? '');
    reply.end('{}');
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const address = elsewhere.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const file = join(dir(), 'cluster.kubeconfig');
  const cluster = {
    server: `https://127.0.0.1:${address.port}`,
    'certificate-authority-data': Buffer.from(authority.certificatePem).toString('base64'),
  };
  await writeFile(
    file,
    JSON.stringify({
      'current-context': 'c',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 'operator' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }),
  );
  const ran = await weir({ home: dir(), variables: { KUBECONFIG: file, WEIR_TOKEN: api.tokenOf('admin') } }, 'get', 'namespaces');
  expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('set WEIR_SERVER')]);
  expect(asked).toEqual([]);
  elsewhere.close();
  await writeFile(join(dir(), 'plane.crt'), await caOf(api));
  const named = { KUBECONFIG: file, WEIR_TOKEN: api.tokenOf('admin'), WEIR_SERVER: api.url, WEIR_CA_FILE: join(dir(), 'plane.crt') };
  expect((await weir({ home: dir(), variables: named }, 'get', 'namespaces', '-o', 'name')).out).toBe(
    'namespace/acme\nnamespace/acme-prod\n',
  );
});

test('F2: a server whose certificate is not signed by the named authority gets no token', async () => {
  const other = await openLocalAuthority(join(dir(), 'other'), 'other authority');
  const variables = { WEIR_TOKEN: api.tokenOf('admin'), WEIR_SERVER: api.url, WEIR_CA_FILE: other.certificateFile };
  const ran = await weir({ home: dir(), variables }, 'get', 'namespaces');
  expect(ran.code).toBe(2);
  expect(ran.err).toContain('next: name the file of its certificate authority');
  const skipping = join(dir(), 'skip.kubeconfig');
  await writeFile(
    skipping,
    JSON.stringify({
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: api.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'x' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }),
  );
  expect((await weir({ home: dir() }, 'get', 'namespaces', '--kubeconfig', skipping)).code).toBe(1);
});
