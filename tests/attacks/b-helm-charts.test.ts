import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textAt } from '#core/json.ts';
import { runWeir } from '#deploy/demo/onboard.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { askedByPlane } from '#tests/attacks/cluster-audit.ts';
import { INSTALL_FAILED, MAP, NAMED, useHostileCharts } from '#tests/attacks/hostile-charts.ts';
import { make, object, pathOf } from '#tests/attacks/two-tenants.ts';
import { type ProcessWatch, watchProcesses } from '#tests/attacks/watched-processes.ts';

/** B1, B6, B8, B9, B11, B13, B14, B16, B17 on whole releases: the definition goes in, what the cluster got and the condition says comes out. Each has its benign twin. */

const ESCAPES = '\\u001b[31mred\\u001b]8;;https://evil.invalid\\u0007link\\u0007\\u202e\\u009b1m';
const state: { listener: Server | null; visits: number; port: number; watch: ProcessWatch | null } = {
  listener: null,
  visits: 0,
  port: 0,
  watch: null,
};

const deep = (levels: number): string => `${'{"properties":{"a":'.repeat(levels)}{}${'}}'.repeat(levels)}`;
const namespace = (labels: string): string => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team-a\n  ${labels}\n`;
const listed = (kind: string, key: string): string =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: l}\n"${key}": [{apiVersion: v1, kind: ConfigMap, metadata: {name: b13-list, namespace: kube-system}}]\n`;

// Before the charts are written: one of them names the port.
beforeAll(async () => {
  const listener = createServer((_request, response) => {
    state.visits += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  state.port = typeof address === 'object' && address !== null ? address.port : 0;
  state.listener = listener;
});
const charts = useHostileCharts('bh', () => ({
  twin: {
    'templates/m.yaml': `${MAP}data: {colour: {{ .Values.colour | default "none" | quote }}}\n`,
    'values-blue.yaml': 'colour: blue\n',
  },
  files: {
    'own.txt': 'mine',
    'templates/m.yaml': `${MAP}data:
  own: {{ .Files.Get "own.txt" | quote }}
  up: {{ .Files.Get "../../../../../../../../etc/passwd" | quote }}
  root: {{ .Files.Get "/etc/passwd" | quote }}
  beside: {{ .Files.Get "../twin/values-blue.yaml" | quote }}
  all: {{ (.Files.Glob "../**").AsConfig | quote }}
`,
  },
  schema: {
    'templates/m.yaml': `${MAP}data: {}\n`,
    'values.schema.json': '{"type":"object","properties":{"colour":{"type":"string"}}}',
  },
  cyclic: {
    'templates/m.yaml': `${MAP}data: {}\n`,
    'values.schema.json':
      '{"$ref":"#/definitions/a","definitions":{"a":{"allOf":[{"$ref":"#/definitions/b"},{"$ref":"#/definitions/b"}]},"b":{"$ref":"#/definitions/a"}}}',
  },
  deep: { 'templates/m.yaml': `${MAP}data: {}\n`, 'values.schema.json': deep(20_000) },
  huge: {
    'templates/m.yaml': `${MAP}data: {}\n`,
    'values.schema.json': JSON.stringify({ anyOf: Array.from({ length: 40_000 }, (_none, index) => ({ required: [`k${index}`] })) }),
  },
  remote: {
    'templates/m.yaml': `${MAP}data: {}\n`,
    'values.schema.json': JSON.stringify({ $ref: `http://127.0.0.1:${state.port}/schema.json` }),
  },
  resolve: { 'templates/m.yaml': `${MAP}data: {address: {{ getHostByName (printf "%s.localhost" .Values.secret) | quote }}}\n` },
  lookup: {
    'templates/m.yaml': `${MAP}data:\n  found: {{ (lookup "v1" .Values.kind .Values.namespace .Values.name) | toJson | quote }}\n`,
  },
  plugin: {
    'plugin.yaml': 'name: trap\nversion: 1.0.0\ncommand: sh -c trapped\n',
    'plugins/trap/plugin.yaml':
      'name: trap\nversion: 1.0.0\ncommand: sh -c trapped\ndownloaders: [{command: trapped, protocols: [trap]}]\n',
    'templates/m.yaml': `${MAP}data: {colour: red}\n`,
  },
  fails: { 'templates/m.yaml': `{{ fail "${ESCAPES}" }}` },
  secure: { 'templates/n.yaml': namespace('labels: {pod-security.kubernetes.io/enforce: {{ .Values.level }}}') },
  marks: { 'templates/n.yaml': namespace('annotations: {{ set .Values.annotations "helm.sh/resource-policy" "keep" | toJson }}') },
  list: { 'templates/l.yaml': listed('List', 'items') },
  typed: { 'templates/l.yaml': listed('ConfigMapList', 'items') },
  plain: { 'templates/l.yaml': listed('ConfigMap', 'items') },
  spelled: { 'templates/l.yaml': listed('List', 'Items') },
  folded: { 'templates/l.yaml': listed('List', 'item\u017f') },
  inner: {
    'templates/l.yaml': `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  ${NAMED}  data: {colour: red}\n`,
  },
}));

afterAll(() => {
  state.listener?.close();
  state.watch?.stop();
});

test('B1, B8, twin: an ordinary chart with a values file of its own is released', { timeout: 90_000 }, async () => {
  state.watch = watchProcesses(charts.plane().pid);
  const chart = { spec: { chart: 'c/twin', sourceRef: { kind: 'GitRepository', name: 'bh' }, valuesFiles: ['c/twin/values-blue.yaml'] } };
  expect(await charts.released('twin', { chart })).toMatchObject({ status: 'True', reason: 'InstallSucceeded' });
  expect(await charts.dataOf('bh-twin')).toEqual({ colour: 'blue' });
});

test('B1: no values file and no file of a template leads out of the chart’s root, and no message quotes one', {
  timeout: 90_000,
}, async () => {
  const outside = ['../../../../../../../../etc/passwd', '/etc/passwd', 'c/twin/../../../../../../etc/passwd', 'file:///etc/passwd'];
  const told = await Promise.all(
    outside.map((file, index) => {
      const chart = { spec: { chart: 'c/twin', sourceRef: { kind: 'GitRepository', name: 'bh' }, valuesFiles: [file] } };
      return charts.released('twin', { chart }, `bh-out-${index}`);
    }),
  );
  for (const one of told) {
    expect(one.status).toBe('False');
    expect(one.message).not.toMatch(/root:|nobody/);
  }
  expect(await charts.released('files')).toMatchObject({ status: 'True' });
  expect(await charts.dataOf('bh-files')).toEqual({ own: 'mine', up: '', root: '', beside: '', all: '{}' });
});

test('B6: a schema of values that is cyclic, deep, huge or elsewhere ends in a reason or does nothing, and nothing is fetched', {
  timeout: 150_000,
}, async () => {
  const [twin, ...told] = await Promise.all([
    charts.released('schema', { values: { colour: 'red' } }),
    ...['cyclic', 'deep', 'huge', 'remote'].map((chart) => charts.released(chart, { values: { colour: 'red' } })),
  ]);
  expect(twin).toMatchObject({ status: 'True' });
  for (const one of told) expect(one).toMatchObject({ status: 'False', message: expect.stringMatching(/./) });
  expect(told[3]?.reason).toEqual(INSTALL_FAILED);
  expect(state.visits).toBe(0);
  expect(await charts.changed('bh-schema', { values: { colour: 7 } }, 'colour')).toMatchObject({
    status: 'False',
    reason: 'UpgradeFailed',
  });
});

test('B8: hostile target paths are refused by name or set a plain key, and helm never sees --set, --repo or --enable-dns', {
  timeout: 120_000,
}, async () => {
  await make(charts.alice(), 'Secret', 'team-a', 'bh-path', { stringData: { value: 'x' } });
  const from = (targetPath: string) => ({ valuesFrom: [{ kind: 'Secret', name: 'bh-path', valuesKey: 'value', targetPath }] });
  const chartRef = { kind: 'HelmChart', name: 'x' };
  for (const path of ['a[-1]', 'a[', 'a[1e9]', 'a[99999999]', 'a'.repeat(251), 'a b', 'a={b}', 'a,b', 'a\n']) {
    const body = object('HelmRelease', 'team-a', 'bh-refused', { spec: { interval: '10m', chartRef, ...from(path) } });
    expect((await callPlane(charts.alice(), 'POST', pathOf('HelmRelease', 'team-a'), body)).status, path).toBe(422);
  }
  const bad = ['a[99999]', `a${'[0]'.repeat(80)}`, 'a.b[65537].c', '[0].a'];
  const told = await Promise.all(bad.map((path, index) => charts.released('twin', from(path), `bh-path-${index}`)));
  for (const [index, one] of told.entries())
    expect(one, bad[index]).toMatchObject({ status: 'False', reason: 'ValuesError', message: expect.stringContaining('targetPath') });
  const proto = await charts.released('twin', from('__proto__.colour'), 'bh-proto');
  if (proto.status === 'True') expect(await charts.dataOf('bh-proto')).toEqual({ colour: 'none' });
  else expect(proto.reason).toBe('ValuesError');
  expect(await charts.released('twin', from('colour'), 'bh-path')).toMatchObject({ status: 'True' });
  expect(await charts.dataOf('bh-path')).toEqual({ colour: 'x' });
  const helm = [...(state.watch?.commands() ?? [])].filter((one) => one.includes('/tool/helm'));
  expect(helm.length).toBeGreaterThan(0);
  for (const command of helm)
    expect(command).not.toMatch(/--(set|set-string|set-file|set-json|repo|enable-dns|dependency-update|post-renderer-args)\b/);
});

test('B9: a name made of a secret value is never resolved', { timeout: 60_000 }, async () => {
  expect(await charts.released('resolve', { values: { secret: 'canary' } })).toMatchObject({ status: 'True' });
  expect(await charts.dataOf('bh-resolve')).toEqual({ address: '' });
});

test('B11: lookup sees what the tenant’s own account sees, and asks as nobody else', { timeout: 90_000 }, async () => {
  const canary = 'canary-b11-of-the-system';
  await charts.onCluster('POST', '/api/v1/namespaces/kube-system/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'b11' },
    stringData: { password: canary },
  });
  const foreign = await charts.released('lookup', { values: { kind: 'Secret', namespace: 'kube-system', name: 'b11' } });
  expect(foreign).toMatchObject({ status: 'False', reason: INSTALL_FAILED, message: expect.stringContaining('forbidden') });
  expect(foreign.message).not.toContain(canary);
  expect(foreign.message).not.toContain(Buffer.from(canary).toString('base64'));
  expect(await charts.dataOf('bh-lookup')).toBe(null);
  const all = await charts.released('lookup', { values: { kind: 'Secret', namespace: '', name: '' } }, 'bh-lookup-all');
  expect(all).toMatchObject({ status: 'False', message: expect.stringContaining('cannot list resource "secrets"') });
  const own = await charts.released('lookup', { values: { kind: 'ConfigMap', namespace: 'team-a', name: 'bh-twin' } }, 'bh-lookup-own');
  expect(own).toMatchObject({ status: 'True' });
  expect(JSON.stringify(await charts.dataOf('bh-lookup-own'))).toContain('blue');
  const [east] = charts.plane().clusters;
  if (east === undefined) throw new Error('no cluster');
  const asked = (await readAudit(east.auditLogPath)).filter((line) => line.includes('"name":"b11"') && line.includes('"verb":"get"'));
  expect(asked.length).toBeGreaterThan(0);
  for (const line of asked) expect(line).toMatch(/"username":"system:serviceaccount:weir-system:tenant-team-a"/);
  expect((await askedByPlane(east)).some((one) => one.namespace === 'kube-system' && one.name === 'b11')).toBe(false);
});

test('B13: objects inside a List are checked one by one; a list inside the grant is released', { timeout: 90_000 }, async () => {
  const names = ['list', 'typed', 'plain', 'spelled', 'folded'];
  const told = await Promise.all(names.map((chart) => charts.released(chart)));
  for (const [index, one] of told.entries())
    expect(one, names[index]).toMatchObject({
      status: 'False',
      reason: INSTALL_FAILED,
      message: expect.stringMatching(/is not granted|it has to be 'items'/),
    });
  expect(await charts.onCluster('GET', '/api/v1/namespaces/kube-system/configmaps/b13-list')).toMatchObject({ status: 404 });
  expect(await charts.released('inner')).toMatchObject({ status: 'True', reason: 'InstallSucceeded' });
  const live = await charts.onCluster('GET', '/api/v1/namespaces/team-a/configmaps/bh-inner');
  expect(textAt(live.body, 'metadata', 'labels', 'weir.dev/delivery')).toMatch(/./);
});

test('B14: no plugin of a chart runs, and no field names a program', { timeout: 60_000 }, async () => {
  expect(await charts.released('plugin')).toMatchObject({ status: 'True' });
  expect(await charts.dataOf('bh-plugin')).toEqual({ colour: 'red' });
  expect([...(state.watch?.commands() ?? [])].filter((one) => one.includes('trapped'))).toEqual([]);
  const spec = { interval: '10m', chartRef: { kind: 'HelmChart', name: 'x' } };
  const collection = pathOf('HelmRelease', 'team-a');
  for (const one of [{ exec: { command: 'trapped' } }, { kustomize: { generators: ['trapped'] } }, { plugin: 'trapped' }]) {
    const body = object('HelmRelease', 'team-a', 'bh-exec', { spec: { ...spec, postRenderers: [one] } });
    const strict = await callPlane(charts.alice(), 'POST', `${collection}?dryRun=All&fieldValidation=Strict`, body);
    expect([400, 422], JSON.stringify(strict.body)).toContain(strict.status);
    // Without that a field that the schema does not know is dropped, as an API server does.
    const plain = await callPlane(charts.alice(), 'POST', `${collection}?dryRun=All`, body);
    expect(JSON.stringify(plain.body)).not.toContain('"trapped"');
  }
});

test('B16: control codes of a chart reach no terminal', { timeout: 60_000 }, async () => {
  const told = await charts.released('fails');
  expect(told).toMatchObject({ status: 'False', reason: INSTALL_FAILED, message: expect.stringContaining('red') });
  const kubeconfig = charts.plane().people.alice.kubeconfig;
  for (const args of [
    ['get', 'helmreleases'],
    ['get', 'helmreleases', 'bh-fails', '-o', 'yaml'],
    ['events', '--for', 'helmrelease/bh-fails'],
  ]) {
    const shown = await runWeir([...args, '--kubeconfig', kubeconfig], charts.plane().dir);
    expect(shown).toContain('red');
    expect(shown, args.join(' ')).toMatch(/^[\n\t\x20-\x7e\u00a0-\u200d\u2010-\u2027\u2030-\u2065\u2070-\uffff]*$/);
  }
});

test('B17: no release takes the pod security of a namespace away; its other metadata is the tenant’s', { timeout: 90_000 }, async () => {
  const labels = async () => JSON.stringify((await charts.onCluster('GET', '/api/v1/namespaces/team-a')).body);
  const modes = ['enforce', 'enforce-version', 'audit', 'audit-version', 'warn', 'warn-version'];
  const told = await Promise.all(
    modes.map((mode) => {
      const common = { commonMetadata: { labels: { [`pod-security.kubernetes.io/${mode}`]: 'privileged' } } };
      return charts.released('marks', { values: { annotations: { a: 'b' } }, ...common }, `bh-ps-${mode}`);
    }),
  );
  for (const [index, one] of told.entries())
    expect(one, modes[index]).toMatchObject({
      status: 'False',
      reason: INSTALL_FAILED,
      message: expect.stringContaining('pod-security.kubernetes.io'),
    });
  expect(await charts.released('secure', { values: { level: 'privileged' } })).toMatchObject({ status: 'False', reason: INSTALL_FAILED });
  expect(await labels()).not.toContain('pod-security');
  // The account may write its own Namespace here: what is refused above is refused by us.
  const twin = await charts.released('marks', { values: { annotations: { 'example.com/b17': 'yes' } }, install: { disableWait: true } });
  expect(twin.message).toContain('install succeeded');
  expect(await labels()).toContain('"example.com/b17":"yes"');
});

async function readAudit(path: string): Promise<readonly string[]> {
  return (await readFile(path, 'utf8')).split('\n');
}
