import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ChartBuild } from '#core/charts.ts';
import { type ChartAuthority, type ChartServer, makeChartAuthority, startChartServer } from '#tests/charts/chart-server.ts';
import { chartYaml } from '#tests/charts/helm-tool.ts';
import { type ChartParts, chartsOf, filesOf, never, openChartParts } from '#tests/charts/passes.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

/** B3, B4, B5, B7: charts and indexes that climb, link, grow or break. Each is refused with a reason or harmless, nothing appears outside of the store (observer W), memory stays bounded (D). */

type Part = Readonly<{ path: string; body?: string | Buffer; type?: Header['type']; linkpath?: string }>;

const folder = useTemporaryDir('file');
let authority: ChartAuthority;
let server: ChartServer;
let parts: ChartParts;

beforeAll(async () => {
  authority = await makeChartAuthority();
  server = await startChartServer(authority);
  parts = openChartParts(join(folder(), 'state'));
});
afterAll(async () => {
  await parts.close();
  await server.close();
});
beforeEach(() => {
  server.rules.intercept = null;
  server.files.clear();
});

function archive(list: readonly Part[]): Buffer {
  const blocks = list.map(({ path, body = '', type = 'File', linkpath }) => {
    const bytes = Buffer.from(body);
    const block = Buffer.alloc(512);
    const link = linkpath === undefined ? {} : { linkpath };
    new Header({ path, type, mode: 0o644, size: bytes.byteLength, mtime: new Date(0), ...link }).encode(block);
    return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)]);
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1_024)]));
}

const chart = (name = 'app', top = 'app'): Part => ({ path: `${top}/Chart.yaml`, body: chartYaml(name, '1.0.0') });
const remote = () => ({
  url: server.url,
  credential: { is: 'none' } as const,
  caPem: authority.caPem,
  clientCertificate: null,
  passCredentials: false,
  timeoutMs: 30_000,
});
const options = { valuesFiles: [], ignoreMissingValuesFiles: false, versionMetadata: null } as const;

async function fetched(packed: Buffer | null): Promise<ChartBuild> {
  if (packed !== null) server.files.set('/app.tgz', packed);
  const charts = chartsOf(parts);
  try {
    const version = { version: '1.0.0', url: `${server.url}/app.tgz`, digest: '', createdAtMs: 0 };
    return await charts.fromRepository(remote(), version, options, never);
  } finally {
    await charts.dispose();
  }
}

async function expectNothingOutside(): Promise<void> {
  expect(await readdir(folder())).toEqual(['state']);
  expect((await readdir(join(folder(), 'state'))).toSorted()).toEqual(['artifacts', 'work']);
  expect(await readdir(parts.workDir)).toEqual([]);
  expect(await readdir(join(folder(), 'state', 'artifacts', 'tmp'))).toEqual([]);
}

beforeAll(async () => {
  expect(await fetched(archive([chart()]))).toMatchObject({ is: 'built' });
});

const quoted = (name: string): string => `apiVersion: v2\nname: ${JSON.stringify(name)}\nversion: 1.0.0\n`;
test.each(['..', '.', 'a/../../b', '/etc', '', 'a/b', 'a\\b', 'a\nb', 'a\0b', '-x', ' a', 'a'.repeat(300), '\u202eppa'])(
  'B3: the chart name %j is refused',
  async (name) => {
    const found = await fetched(archive([{ path: 'app/Chart.yaml', body: quoted(name) }]));
    expect(found).toMatchObject({ is: 'refused', reason: 'ChartPullError' });
    await expectNothingOutside();
  },
);

test('B3, twin: ordinary names are taken, and none becomes a path', async () => {
  for (const name of ['app', 'a.b-c_d', 'A1', '0day']) {
    const found = await fetched(archive([chart(name, name)]));
    expect(found).toMatchObject({ is: 'built', name });
    if (found.is === 'built') expect([...(await filesOf(parts, found.artifact.digest)).keys()]).toEqual(['chart/Chart.yaml']);
  }
  await expectNothingOutside();
});

const hostile: readonly (readonly [string, readonly Part[]])[] = [
  ['B3: a folder that climbs', [{ ...chart(), path: '../Chart.yaml' }]],
  ['B3: an entry that climbs', [chart(), { path: 'app/../../evil', body: 'x' }]],
  ['B3: an absolute entry', [chart(), { path: '/tmp/evil', body: 'x' }]],
  ['B3: two folders', [chart(), { path: 'other/x', body: 'x' }]],
  ['B3: a file beside the folder', [{ path: 'Chart.yaml', body: chartYaml('app', '1.0.0') }]],
  ['B4: a lock file that is a symbolic link', [chart(), { path: 'app/Chart.lock', type: 'SymbolicLink', linkpath: '/root/.bashrc' }]],
  ['B4: a link inside of the chart', [chart(), { path: 'app/values.yaml', type: 'SymbolicLink', linkpath: 'Chart.yaml' }]],
  ['B4: a folder that is a link', [chart(), { path: 'app/templates', type: 'SymbolicLink', linkpath: '/etc' }]],
  ['B4: a hard link', [chart(), { path: 'app/values.yaml', type: 'Link', linkpath: '/etc/passwd' }]],
  ['B4: a device', [chart(), { path: 'app/null', type: 'CharacterDevice' }]],
  ['D1: an entry twice', [chart(), { path: 'app/x', body: '1' }, { path: 'app/x', body: '2' }]],
  ['D1: a file that is a folder', [chart(), { path: 'app/x', body: '1' }, { path: 'app/x/y', body: '2' }]],
  ['B5: more entries than allowed', [chart(), ...Array.from({ length: 10_001 }, (_none, index) => ({ path: `app/f${index}` }))]],
  ['B5: a file over 5 MiB', [chart(), { path: 'app/big', body: Buffer.alloc(5 * 1_048_576 + 1) }]],
  [
    'B5: more than 100 MiB',
    [chart(), ...Array.from({ length: 26 }, (_none, index) => ({ path: `app/b${index}`, body: Buffer.alloc(4 * 1_048_576) }))],
  ],
  ['B7: no Chart.yaml', [{ path: 'app/values.yaml', body: 'a: 1' }]],
  [
    'B7: aliases that multiply',
    [
      {
        path: 'app/Chart.yaml',
        body: `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
          .split('')
          .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]\n`)
          .join('')}`,
      },
    ],
  ],
  ['B7: deep nesting', [{ path: 'app/Chart.yaml', body: '['.repeat(100_000) }]],
];

test.each(hostile)('%s is refused, and says why', async (_what, list) => {
  const started = performance.now();
  const found = await fetched(archive(list));
  expect(found).toMatchObject({ is: 'refused', reason: 'ChartPullError', message: expect.stringMatching(/./) });
  expect(performance.now() - started).toBeLessThan(20_000);
  await expectNothingOutside();
});

test('twin: a chart with lock file, long paths, empty files and 4 MiB in one file is taken, and its bytes are the same', async () => {
  const big = Buffer.alloc(4 * 1_048_576, 'y');
  const long = `app/files/${'d'.repeat(90)}/f`;
  const list = [
    chart(),
    { path: 'app/Chart.lock', body: 'digest: x\n' },
    { path: 'app/big', body: big },
    { path: long, body: 'l' },
    { path: 'app/empty' },
  ];
  const found = await fetched(archive(list));
  expect(found).toMatchObject({ is: 'built', name: 'app', version: '1.0.0' });
  if (found.is !== 'built') return;
  const files = await filesOf(parts, found.artifact.digest);
  expect(files.get('chart/big')?.equals(big)).toBe(true);
  expect(files.get(`chart/${long.slice('app/'.length)}`)?.toString()).toBe('l');
  expect(files.get('chart/empty')?.byteLength).toBe(0);
  await expectNothingOutside();
});

test('B5: a small archive that grows without end, and an answer that does not end, are cut', async () => {
  const head = Buffer.alloc(512);
  new Header({ path: 'app/zeros', type: 'File', mode: 0o644, size: 4_000_000_000, mtime: new Date(0) }).encode(head);
  const zeros = gzipSync(Buffer.alloc(64 * 1_048_576));
  const before = process.memoryUsage().rss;
  // Members of a gzip stream follow each other: 60 times 64 MiB.
  const bomb = Buffer.concat([gzipSync(head), ...Array.from({ length: 60 }, () => zeros)]);
  expect(bomb.byteLength).toBeLessThan(5_000_000);
  expect(await fetched(bomb)).toMatchObject({ is: 'refused', reason: 'ChartPullError' });
  server.rules.intercept = (_request, response) => {
    response.writeHead(200);
    const more = (): void => void (response.writable && response.write(Buffer.alloc(65_536), more));
    more();
    return true;
  };
  await expect(fetched(null)).rejects.toMatchObject({ code: 'upstreamTooLarge' });
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1_048_576);
  await expectNothingOutside();
}, 60_000);

/** A small generator of numbers with a seed that is printed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PIECES = [
  '\0',
  '\n',
  '\t',
  '{',
  '[',
  ': ',
  '- ',
  '&a ',
  '*a',
  '!!binary ',
  '|',
  '>',
  '"',
  "'",
  '\u2028',
  '%YAML 9\n',
  '---\n',
  '1e400',
  '~',
  '<<: ',
  '\uFFFD',
  '#',
];
function mutated(text: string, next: () => number): string {
  let result = text;
  for (let count = 0; count < 1 + next() * 4; count += 1) {
    const at = Math.floor(next() * result.length);
    const piece = PIECES[Math.floor(next() * PIECES.length)] ?? '';
    result =
      next() < 0.3 ? result.slice(0, at) + result.slice(at + 1 + Math.floor(next() * 9)) : result.slice(0, at) + piece + result.slice(at);
  }
  return result;
}

test('B7: 200 broken Chart.yaml and 200 broken indexes end in a chart, an index or a reason, never in a crash', async () => {
  const seed = Number(process.env['WEIR_TEST_SEED'] ?? 20_261_124);
  const next = random(seed);
  const yaml = `${chartYaml('app', '1.0.0')}description: a\nkeywords: [a, b]\ndependencies:\n- name: sub\n  version: 1.x\nmaintainers:\n- {name: x}\n`;
  const index = `apiVersion: v1\nentries:\n  app:\n  - name: app\n    version: 1.0.0\n    urls:\n    - app.tgz\n    created: "2026-01-01T00:00:00Z"\ngenerated: "x"\n`;
  const results = { charts: 0, indexes: 0 };
  const charts = chartsOf(parts);
  for (let count = 0; count < 200; count += 1) {
    const found = await fetched(archive([{ path: 'app/Chart.yaml', body: mutated(yaml, next) }]));
    if (found.is === 'built') results.charts += 1;
    else expect(found.message, `seed ${seed}, ${count}`).toMatch(/./);
    server.files.set('/index.yaml', Buffer.from(mutated(index, next)));
    const look = await charts.lookAtIndex(remote(), null, never);
    if (look.is !== 'index') throw new Error(`seed ${seed}, ${count}: no index`);
    const stored = await charts.storeIndex(look.file, never);
    if (stored.is === 'refused') expect(stored.message).toMatch(/./);
    else {
      results.indexes += 1;
      await charts.versionsOf({ digest: stored.artifact.digest, repositoryUrl: server.url }, 'app', never);
    }
  }
  await charts.dispose();
  // Some mutations harm nothing: the refusals are about the harmful ones.
  expect(results.charts).toBeGreaterThan(5);
  expect(results.indexes).toBeGreaterThan(5);
  expect(results.charts + results.indexes).toBeLessThan(390);
  await expectNothingOutside();
}, 60_000);
