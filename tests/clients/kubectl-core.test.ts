import { beforeAll, describe, expect, it } from 'vitest';
import { useKubectl } from '#tests/clients/kubectl.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const kubectl = useKubectl(api, 'acme');
beforeAll(() => api.newTenant('acme', { ann: 'admin', jane: 'editor' }));

describe('kubectl on core kinds', () => {
  it('applies a Secret three times, values readable by an admin', async () => {
    const secret = (value: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: git}\ndata: {password: ${Buffer.from(value).toString('base64')}}\n`;
    for (const [value, word] of [
      ['one', 'created'],
      ['one', 'unchanged'],
      ['two', 'configured'],
    ] as const) {
      const run = await kubectl.run(['apply', '-f', await kubectl.file('secret.yaml', secret(value))], { as: 'ann' });
      expect(run, run.stderr + api.logged.join('\n')).toMatchObject({ code: 0, stdout: `secret/git ${word}\n` });
    }
    const got = await kubectl.run(['get', 'secret', 'git', '-o', 'jsonpath={.data.password}'], { as: 'ann' });
    expect(Buffer.from(got.stdout, 'base64').toString()).toBe('two');
  });

  it('applies a ConfigMap again, by strategic merge', async () => {
    const map = (line: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata:\n  ${line}\n`;
    for (const [line, word] of [
      ['a: "1"', 'created'],
      ['b: "2"', 'configured'],
    ] as const) {
      const run = await kubectl.run(['apply', '-f', await kubectl.file('map.yaml', map(line))]);
      expect(run, run.stderr).toMatchObject({ code: 0, stdout: `configmap/values ${word}\n` });
    }
    expect((await api.ask('/api/v1/namespaces/acme/configmaps/values', { as: 'jane' })).body.data).toEqual({ b: '2' });
  });

  it('labels, annotates and patches', async () => {
    for (const args of [
      ['label', 'configmap', 'values', 'a=b'],
      ['annotate', 'configmap', 'values', 'x/y=z'],
      ['patch', 'configmap', 'values', '-p', '{"data":{"c":"3"}}'],
    ]) {
      const run = await kubectl.run(args);
      expect(run, run.stderr).toMatchObject({ code: 0 });
    }
    expect((await api.ask('/api/v1/namespaces/acme/configmaps/values', { as: 'jane' })).body).toMatchObject({
      metadata: { labels: { a: 'b' }, annotations: { 'x/y': 'z' } },
      data: { b: '2', c: '3' },
    });
  });

  it('watches until something changes', async () => {
    const watching = kubectl.run(['get', 'configmaps', '-w', '--request-timeout=4s']);
    await new Promise((resolve) => {
      setTimeout(resolve, 1_500);
    });
    await api.ask('/api/v1/namespaces/acme/configmaps', {
      method: 'POST',
      as: 'jane',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'appears' } },
    });
    const run = await watching;
    const lines = run.stdout.split('\n').filter((line) => line !== '');
    expect(lines[0], run.stderr).toMatch(/^NAME +DATA +AGE$/);
    expect(
      lines.filter((line) => line.startsWith('values ')),
      run.stdout,
    ).toHaveLength(1);
    expect(lines.some((line) => line.startsWith('appears '))).toBe(true);
  });

  it('waits for a deletion', async () => {
    const run = await kubectl.run(['delete', 'configmap', 'appears', '--wait=true']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    const wait = await kubectl.run(['wait', '--for=delete', 'configmap/appears', '--timeout=5s']);
    expect(wait, wait.stderr).toMatchObject({ code: 0 });
  });

  it('describes an object with its events', async () => {
    const run = await kubectl.run(['describe', 'configmap', 'values']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('Name:         values');
  });

  it('creates and deletes a namespace of the tenant, and waits until it is gone', async () => {
    const made = await kubectl.run(
      ['apply', '-f', await kubectl.file('ns.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: acme-dev}\n')],
      { as: 'ann' },
    );
    expect(made, made.stderr).toMatchObject({ code: 0, stdout: 'namespace/acme-dev created\n' });
    const gone = await kubectl.run(['delete', 'namespace', 'acme-dev', '--timeout=20s'], { as: 'ann' });
    expect(gone, gone.stderr).toMatchObject({ code: 0 });
  });

  it('is told its own namespaces when it asks for another', async () => {
    const run = await kubectl.run(['get', 'ks', '-n', 'flux-system']);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(
      'cannot list resource "kustomizations" in API group "kustomize.toolkit.fluxcd.io" in the namespace "flux-system": your namespaces are acme',
    );
  });
});
