import { argv } from 'node:process';
import { createArtifacts } from '#adapters/blob/artifacts.ts';
import { readTar } from '#adapters/blob/read-tar.ts';
import { createCharts } from '#adapters/chart/charts.ts';
import { parseYaml } from '#adapters/kustomize/off-thread.ts';
import { systemClock } from '#core/time.ts';

/** Stores the index at argv[2] below argv[3] and looks a chart up in it, then prints what it took: run as a process of its own with a small heap. */
const [, , file = '', root = ''] = argv;
const signal = AbortSignal.timeout(120_000);
const store = createArtifacts({ dir: `${root}/artifacts`, clock: systemClock });
const http = { request: () => Promise.reject(new Error('no request is expected')), close: async () => undefined };
const charts = createCharts({ http, artifacts: store, readTar, parseYaml, workDir: `${root}/work`, allowHttpHosts: [] });
const baseRss = process.resourceUsage().maxRSS;
const startedMs = performance.now();
const stored = await charts.storeIndex(file, signal);
if (stored.is === 'refused') throw new Error(stored.message);
const storedMs = performance.now();
const versions = await charts.versionsOf({ digest: stored.artifact.digest, repositoryUrl: 'https://charts.test' }, 'chart-17', signal);
const took = { storeMs: storedMs - startedMs, lookMs: performance.now() - storedMs };
console.log(JSON.stringify({ versions: versions.length, last: versions.at(-1), ...took, baseRss, maxRss: process.resourceUsage().maxRSS }));
await charts.dispose();
