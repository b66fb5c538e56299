import { beforeAll, describe, expect, it } from 'vitest';
import { useKubectl } from '#tests/clients/kubectl.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const kubectl = useKubectl(api, 'acme');

const manifest = (interval: string): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
spec:
  interval: ${interval}
  path: ./
  prune: true
  sourceRef:
    kind: GitRepository
    name: src
`;

beforeAll(() => api.newTenant('acme', { jane: 'editor' }));

describe('kubectl apply, unmodified', () => {
  it('creates, leaves alone, then changes', async () => {
    const first = await kubectl.run(['apply', '-f', await kubectl.file('one.yaml', manifest('10m'))]);
    expect(first, first.stderr + api.logged.join('\n')).toMatchObject({
      code: 0,
      stdout: 'kustomization.kustomize.toolkit.fluxcd.io/apps created\n',
    });
    const again = await kubectl.run(['apply', '-f', await kubectl.file('one.yaml', manifest('10m'))]);
    expect(again, again.stderr).toMatchObject({ code: 0, stdout: 'kustomization.kustomize.toolkit.fluxcd.io/apps unchanged\n' });
    const changed = await kubectl.run(['apply', '-f', await kubectl.file('two.yaml', manifest('5m'))]);
    expect(changed, changed.stderr).toMatchObject({ code: 0, stdout: 'kustomization.kustomize.toolkit.fluxcd.io/apps configured\n' });
    const got = await api.ask('/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations/apps', { as: 'jane' });
    expect(got.body).toMatchObject({ metadata: { generation: 2 }, spec: { interval: '5m' } });
  });

  it('shows a difference and exits 1', async () => {
    const diff = await kubectl.run(['diff', '-f', await kubectl.file('three.yaml', manifest('7m'))]);
    expect(diff, diff.stderr).toMatchObject({ code: 1 });
    expect(diff.stdout).toContain('+  interval: 7m');
  });

  it('refuses an unknown field', async () => {
    const run = await kubectl.run(['apply', '--validate=strict', '-f', await kubectl.file('bad.yaml', `${manifest('7m')}  foo: 1\n`)]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('strict decoding error: unknown field "spec.foo"');
  });

  it('refuses a value that breaks the schema and names the field', async () => {
    const run = await kubectl.run(['apply', '-f', await kubectl.file('bad.yaml', manifest('5x'))]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('spec.interval: Invalid value: "5x": spec.interval in body should match');
  });
});

describe('kubectl get, explain and delete, unmodified', () => {
  it('prints the columns of the kind', async () => {
    const run = await kubectl.run(['get', 'kustomizations', '-A']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/^NAMESPACE +NAME +AGE +READY +STATUS\n/);
    expect(run.stdout).toMatch(/\nacme +apps +[0-9]+s/);
  });

  it('prints one object as YAML', async () => {
    const run = await kubectl.run(['get', 'ks', 'apps', '-o', 'yaml']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('kind: Kustomization\n');
  });

  it('lists the namespaces one sees', async () => {
    const run = await kubectl.run(['get', 'ns', '-o', 'name']);
    expect(run, run.stderr).toMatchObject({ code: 0, stdout: 'namespace/acme\n' });
  });

  it('lists every kind of a category', async () => {
    const run = await kubectl.run(['get', 'fluxcd', '-o', 'name']);
    expect(run, run.stderr).toMatchObject({ code: 0, stdout: 'kustomization.kustomize.toolkit.fluxcd.io/apps\n' });
  });

  it('explains a field from our documents', async () => {
    const run = await kubectl.run(['explain', 'kustomization.spec.interval']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('FIELD: interval <string>');
  });

  it('deletes an object without finalizers', async () => {
    const made = await kubectl.run([
      'create',
      '--validate=strict',
      '-f',
      await kubectl.file('cm.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata: {a: b}\n'),
    ]);
    expect(made, made.stderr).toMatchObject({ code: 0, stdout: 'configmap/values created\n' });
    const run = await kubectl.run(['delete', 'configmap', 'values']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('configmap "values" deleted');
  });
});
