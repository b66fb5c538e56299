import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textAt } from '#core/json.ts';
import type { CliOptions } from '#tests/cli/cli-harness.ts';
import type { Api, Person } from '#tests/contract/api.ts';

/** PEM of the authority of the test's plane, as the plane says it itself. */
export async function caOf(api: Api): Promise<string> {
  const info = await api.must(null, '/.well-known/weir-configuration');
  return textAt(info, 'certificateAuthority') ?? '';
}

/** A kubeconfig file with that person's token, as the demo hands out; gives the options that make `weir` use it. */
export async function asPerson(api: Api, home: string, person: Person, namespace = 'acme'): Promise<CliOptions> {
  const file = join(home, `${person}.kubeconfig`);
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'plane',
    clusters: [
      { name: 'plane', cluster: { server: api.url, 'certificate-authority-data': Buffer.from(await caOf(api)).toString('base64') } },
    ],
    users: [{ name: person, user: { token: api.tokenOf(person) } }],
    contexts: [{ name: 'plane', context: { cluster: 'plane', user: person, namespace } }],
  };
  await writeFile(file, JSON.stringify(kubeconfig), { mode: 0o600 });
  return { home, variables: { WEIR_KUBECONFIG: file } };
}
