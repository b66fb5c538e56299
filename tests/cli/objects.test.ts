import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { weir } from '#tests/cli/cli-harness.ts';
import { asPerson } from '#tests/cli/plane-access.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const api = useApi();
const dir = useTemporaryDir();

const placement = (name: string, env: string): string => `apiVersion: weir.dev/v1
kind: Placement
metadata: {name: ${name}}
spec:
  definitions: {kinds: [Kustomization], selector: {matchLabels: {tier: app}}}
  clusters: {selector: {matchLabels: {env: ${env}}}}
`;

test('apply says created, unchanged and configured, for files, folders, lists and the standard input', async () => {
  const me = await asPerson(api, dir(), 'editor');
  await mkdir(join(dir(), 'all'));
  await writeFile(join(dir(), 'all', 'one.yaml'), `${placement('one', 'prod')}---\n${placement('two', 'prod')}`);
  await writeFile(join(dir(), 'all', 'note.txt'), 'not YAML: {');
  await writeFile(
    join(dir(), 'all', 'map.json'),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { port: '1:30' } }],
    }),
  );
  const first = await weir(me, 'apply', '-f', join(dir(), 'all'));
  expect(first.code, first.err).toBe(0);
  expect(first.out.split('\n').toSorted()).toEqual([
    '',
    'configmap/settings created',
    'placement.weir.dev/one created',
    'placement.weir.dev/two created',
  ]);
  const again = await weir(me, 'apply', '-f', join(dir(), 'all'));
  expect(again.out).toBe('configmap/settings unchanged\nplacement.weir.dev/one unchanged\nplacement.weir.dev/two unchanged\n');
  const changed = await weir({ ...me, input: placement('one', 'test') }, 'apply', '-f', '-');
  expect(changed.out).toBe('placement.weir.dev/one configured\n');
});

test('a field that was applied and is left out goes; what others wrote stays', async () => {
  const me = await asPerson(api, dir(), 'editor');
  const map = (data: string): string => `{apiVersion: v1, kind: ConfigMap, metadata: {name: fields}, data: {${data}}}`;
  await weir({ ...me, input: map('a: "1", b: "2"') }, 'apply', '-f', '-');
  await api.must('editor', '/api/v1/namespaces/acme/configmaps/fields', { method: 'PATCH', body: { data: { theirs: 'x' } } });
  expect((await weir({ ...me, input: map('a: "1"') }, 'apply', '-f', '-')).out).toBe('configmap/fields configured\n');
  expect(at(await api.must('editor', '/api/v1/namespaces/acme/configmaps/fields'), 'data')).toEqual({ a: '1', theirs: 'x' });
});

test('an editor applies a Secret without being able to read it', async () => {
  const me = await asPerson(api, dir(), 'editor');
  const secret = (data: string): string => `{apiVersion: v1, kind: Secret, metadata: {name: login}, stringData: {${data}}}`;
  const versionOf = async (): Promise<unknown> =>
    at(await api.must('admin', '/api/v1/namespaces/acme/secrets/login'), 'metadata', 'resourceVersion');
  expect((await weir({ ...me, input: secret('user: me, password: one') }, 'apply', '-f', '-')).out).toBe('secret/login created\n');
  const before = await versionOf();
  const same = await weir({ ...me, input: secret('user: me, password: one') }, 'apply', '-f', '-');
  expect(same.out, 'what the server said').toBe(`secret/login ${(await versionOf()) === before ? 'unchanged' : 'configured'}\n`);
  expect((await weir({ ...me, input: secret('user: me') }, 'apply', '-f', '-')).out).toBe('secret/login configured\n');
  expect(at(await api.must('admin', '/api/v1/namespaces/acme/secrets/login'), 'data')).toEqual({
    user: Buffer.from('me').toString('base64'),
  });
  expect((await weir(me, 'get', 'secrets')).code).toBe(1);
});

test('a typo in the last document changes nothing, and the plane’s words name the field', async () => {
  const me = await asPerson(api, dir(), 'editor');
  const unknownKind = await weir(
    { ...me, input: `${placement('never', 'x')}---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}` },
    'apply',
    '-f',
    '-',
  );
  expect([unknownKind.code, unknownKind.out]).toEqual([2, '']);
  expect((await weir(me, 'get', 'placements', 'never')).code).toBe(1);
  const typo = await weir({ ...me, input: placement('typo', 'x').replace('kinds:', 'kynds:') }, 'apply', '-f', '-');
  expect(typo.code).toBe(2);
  expect(typo.err).toContain('spec.definitions.kynds');
});

test('C5 and C6: every output form, clean on stdout, and json is a list that can be applied again', async () => {
  const me = await asPerson(api, dir(), 'editor');
  await weir({ ...me, input: placement('forms', 'prod') }, 'apply', '-f', '-');
  const json = await weir(me, 'get', 'placements', '-o', 'json');
  expect(json.err).toBe('');
  expect(JSON.parse(json.out)).toMatchObject({
    apiVersion: 'v1',
    kind: 'List',
    items: expect.arrayContaining([expect.objectContaining({ kind: 'Placement', apiVersion: 'weir.dev/v1' })]),
  });
  const one = await weir(me, 'get', 'placement/forms', '-o', 'yaml');
  expect((await weir({ ...me, input: one.out }, 'apply', '-f', '-', '--dry-run', 'server')).out).toContain('placement.weir.dev/forms');
  expect((await weir(me, 'get', 'placements', 'forms', '-o', 'name')).out).toBe('placement.weir.dev/forms\n');
  expect((await weir(me, 'get', 'placements', 'forms', '-o', 'jsonpath={.spec.clusters.selector.matchLabels.env}')).out).toBe('prod\n');
  const table = await weir(me, 'get', 'placements');
  expect(table.out.split('\n')[0]).toMatch(/^NAME +/);
  const wide = await weir(me, 'get', 'placements', '-A', '-o', 'wide');
  expect(wide.out.split('\n')[0]).toMatch(/^NAMESPACE +NAME/);
  expect(wide.out).not.toContain('\u001b');
  expect((await weir(me, 'get', 'placements', '-l', 'no=such')).out).toBe('');
  expect((await weir(me, 'get', 'placements', '--field-selector', 'metadata.name=forms', '-o', 'name')).out).toBe(
    'placement.weir.dev/forms\n',
  );
  expect((await weir(me, 'get', 'placements', '-o', 'xml')).code).toBe(2);
  expect((await weir(me, 'get', 'nothing')).err).toContain('has no resource type "nothing"');
});

test('C14: delete without terminal and --yes does nothing; with it the object is gone when the command ends', async () => {
  const me = await asPerson(api, dir(), 'editor');
  await weir({ ...me, input: placement('doomed', 'prod') }, 'apply', '-f', '-');
  const asked = await weir(me, 'delete', 'placement', 'doomed');
  expect([asked.code, asked.out]).toEqual([2, '']);
  expect(asked.err).toContain('next: add --yes');
  const no = await weir({ ...me, answers: ['n'] }, 'delete', 'placement', 'doomed');
  expect(no.code).toBe(1);
  expect((await weir(me, 'get', 'placement', 'doomed')).code).toBe(0);
  const yes = await weir(me, 'delete', 'placement/doomed', '--yes');
  expect([yes.code, yes.out], yes.err).toEqual([0, 'placement.weir.dev/doomed deleted\n']);
  expect((await api.ask('editor', '/apis/weir.dev/v1/namespaces/acme/placements/doomed')).status).toBe(404);
  expect((await weir(me, 'delete', 'placement', 'doomed', '--yes')).code).toBe(1);
  expect((await weir(me, 'delete', 'placement', 'doomed', '--yes', '--ignore-not-found')).code).toBe(0);
});

test('C8: diff of the plane’s own objects ends with 0, 1 and 2, and --exit-code=false turns 1 into 0', async () => {
  const me = await asPerson(api, dir(), 'editor');
  await weir({ ...me, input: placement('differs', 'prod') }, 'apply', '-f', '-');
  expect((await weir({ ...me, input: placement('differs', 'prod') }, 'diff', '-f', '-')).code).toBe(0);
  const changed = await weir({ ...me, input: placement('differs', 'test') }, 'diff', '-f', '-');
  expect(changed.code).toBe(1);
  expect(changed.out).toContain('spec.clusters.selector.matchLabels.env: "prod" -> "test"');
  expect((await weir({ ...me, input: placement('differs', 'test') }, 'diff', '-f', '-', '--exit-code=false')).code).toBe(0);
  expect((await weir({ ...me, input: placement('is-new', 'test') }, 'diff', '-f', '-', '-o', 'json')).code).toBe(1);
  expect((await weir({ ...me, input: 'a: [' }, 'diff', '-f', '-')).code).toBe(2);
  expect((await api.ask('editor', '/apis/weir.dev/v1/namespaces/acme/placements/is-new')).status, 'a diff stores nothing').toBe(404);
});

test('tenants: a platform admin makes one, its members see it, others do not', async () => {
  const admin = await asPerson(api, dir(), 'platform');
  const made = await weir(admin, 'tenant', 'create', 'fresh', '--member', 'viewer=admin', '--group', 'team=fresh=editor');
  expect(made.code, made.err).toBe(0);
  expect(made.out).toContain('tenant.weir.dev/fresh created');
  expect(JSON.parse((await weir(await asPerson(api, dir(), 'viewer'), 'tenant', 'get', 'fresh', '-o', 'json')).out)).toMatchObject({
    spec: {
      namespaces: { names: ['fresh'] },
      members: [{ subject: 'viewer', role: 'admin' }],
      groups: [{ oidcGroup: 'team=fresh', role: 'editor' }],
    },
  });
  expect((await weir(await asPerson(api, dir(), 'stranger'), 'tenant', 'get', 'fresh')).code).toBe(1);
  expect((await weir(await asPerson(api, dir(), 'editor'), 'tenant', 'create', 'mine')).code).toBe(1);
});

test('a machine token is printed once on stdout and works through WEIR_TOKEN with its limits', async () => {
  const me = await asPerson(api, dir(), 'editor');
  const made = await weir(me, 'token', 'create', 'ci', '--verb', 'placements=get,list', '--duration', '2d');
  expect(made.code, made.err).toBe(0);
  const variables = { WEIR_TOKEN: made.out.trim(), WEIR_SERVER: api.url, WEIR_CA_FILE: join(dir(), 'ca') };
  const kubeconfig = JSON.parse(await readFile(me.variables?.['WEIR_KUBECONFIG'] ?? '', 'utf8'));
  await writeFile(variables.WEIR_CA_FILE, Buffer.from(kubeconfig.clusters[0].cluster['certificate-authority-data'], 'base64'));
  expect((await weir({ home: dir(), variables }, 'get', 'placements', '-n', 'acme')).code).toBe(0);
  expect((await weir({ home: dir(), variables }, 'get', 'configmaps', '-n', 'acme')).code).toBe(1);
});

test('C8: a comparison that is refused is an error, not a difference', async () => {
  const viewer = await asPerson(api, dir(), 'viewer');
  expect((await weir({ ...viewer, input: placement('forbidden', 'prod') }, 'diff', '-f', '-')).code).toBe(2);
});
