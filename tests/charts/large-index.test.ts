import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isObject, parseJson } from '#core/json.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const run = promisify(execFile);
const folder = useTemporaryDir();
const CHARTS = 50;
const VERSIONS = 1_000;
const HEAP_MB = 64;

/** An index in the form of `helm repo index`, with the fields that charts of the world carry. */
function* indexText(): Generator<string> {
  yield 'apiVersion: v1\nentries:\n';
  for (let chart = 0; chart < CHARTS; chart += 1) {
    yield `  chart-${chart}:\n`;
    for (let version = VERSIONS - 1; version >= 0; version -= 1)
      yield `  - annotations:
      category: Infrastructure
      images: |
        - name: app
          image: registry.test/app:${version}.2.3
    apiVersion: v2
    appVersion: 1.2.3
    created: "2026-01-01T00:00:${String(version % 60).padStart(2, '0')}.123456789Z"
    dependencies:
    - name: common
      repository: https://charts.test
      tags:
      - common
      version: 2.x.x
    description: A chart that exists to fill an index, as charts of the world do with their long descriptions.
    digest: ${'0123456789abcdef'.repeat(4)}
    home: https://charts.test
    icon: https://charts.test/icon.png
    keywords:
    - filler
    maintainers:
    - email: nobody@charts.test
      name: Nobody
    name: chart-${chart}
    sources:
    - https://git.test/charts
    urls:
    - chart-${chart}-${version}.2.3.tgz
    version: ${version}.2.3
`;
  }
  yield 'generated: "2026-01-01T00:00:00Z"\n';
}

test('an index with 50,000 versions is stored and searched with a heap of 64 MiB', async () => {
  const file = join(folder(), 'index.yaml');
  await pipeline(Readable.from(indexText()), createWriteStream(file));
  const { size } = await stat(file);
  expect(size).toBeGreaterThan(40_000_000);
  const script = fileURLToPath(new URL('read-large-index.mts', import.meta.url));
  const { stdout } = await run(process.execPath, [`--max-old-space-size=${HEAP_MB}`, script, file, folder()]);
  const took = parseJson(stdout);
  console.log(`index of ${size} bytes: ${stdout.trim()}`);
  expect(took).toMatchObject({ versions: VERSIONS, last: { version: '0.2.3', url: 'https://charts.test/chart-17-0.2.3.tgz' } });
  const growthKb = isObject(took) ? Number(took['maxRss']) - Number(took['baseRss']) : Number.NaN;
  expect(growthKb).toBeLessThan(200 * 1_024);
}, 120_000);
