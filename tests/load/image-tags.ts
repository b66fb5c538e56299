import { until } from '#deploy/demo/until.ts';
import { withImageLoad } from './image-stage.ts';

/**
 * Benchmark (h): how long a new tag takes to be a commit on the branch, on a whole plane with ten automations at one branch, counted from the moment a scan is asked for.
 * Only 127.0.0.1. `node tests/load/image-tags.ts [tags]` prints one JSON line.
 */
const LIMIT_MS = 60_000;
const WRITERS = 10;

const tags = Math.min(1_000, Math.max(1, Number(process.argv[2] ?? 50)));
await withImageLoad(WRITERS, async (load) => {
  const arrived = (tag: string) =>
    until(
      `${tag} on the branch`,
      LIMIT_MS,
      20,
      async () => {
        const found = await load.tags();
        return load.names.every((name) => found.get(name) === tag) ? true : null;
      },
      async () => JSON.stringify([...(await load.tags())]),
    );
  await arrived('1.0.0');
  const took: number[] = [];
  for (let minor = 1; minor <= tags; minor += 1) {
    await load.push(`1.${minor}.0`);
    const startedMs = performance.now();
    await load.scan();
    await arrived(`1.${minor}.0`);
    took.push(Math.round(performance.now() - startedMs));
  }
  const sorted = took.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  process.stdout.write(`${JSON.stringify({ tags, writers: WRITERS, allCommittedMs: { p50: at(0.5), p99: at(0.99), max: at(1) } })}\n`);
});
