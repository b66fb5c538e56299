import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { brokenStatusRules } from '#core/conditions.ts';
import type { JsonObject } from '#core/json.ts';
import { sharedDemo } from '#tests/harness/parts.ts';

const run = promisify(execFile);

test('every status that the demo produced keeps the numbered rules', async () => {
  const demo = await sharedDemo();
  const broken: string[] = [];
  let seen = 0;
  for (const user of demo.users) {
    for (const plural of ['kustomizations', 'gitrepositories', 'receivers', 'placements', 'deliveries']) {
      const { stdout } = await run(demo.kubectl, [
        '--kubeconfig',
        user.kubeconfig,
        '-n',
        user.namespace,
        'get',
        plural,
        '-o',
        'json',
        '--cache-dir',
        `/tmp/weir-kubectl-${process.pid}`,
      ]);
      const { items } = JSON.parse(stdout) as { items: { metadata: { name: string; generation?: number }; status?: JsonObject }[] };
      for (const item of items) {
        seen += 1;
        const generation = plural === 'deliveries' ? Number(item.status?.['observedGeneration'] ?? 0) : (item.metadata.generation ?? 0);
        for (const rule of brokenStatusRules({ generation, status: item.status ?? null }))
          broken.push(`${plural}/${item.metadata.name}: ${rule}`);
      }
    }
  }
  expect(seen).toBeGreaterThan(12);
  expect(broken).toEqual([]);
});
