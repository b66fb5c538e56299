import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#deploy/demo/until.ts';
import { git } from '#deploy/local/git-run.ts';
import { type ImageLoad, withImageLoad } from './image-stage.ts';

/**
 * INV-8 and R6 on a whole plane: fifty automations at one branch, alone and beside a person who commits each second, and then rounds of fifty decisions in which a person is faster
 * again and again, until there were so many races. Only 127.0.0.1. `node tests/load/image-writers.ts [races] [writers]` prints one JSON line.
 */
const ROUND_MS = 300_000;
const HUMAN_MS = 1_000;

/** Of each four pushes three find that somebody was faster: a commit that the server itself puts on the branch while it looks at the push. */
const RACE_HOOK = `#!/bin/sh
left=$(cat races-left 2>/dev/null || echo 0)
[ "$left" -gt 0 ] || exit 0
pushes=$(( $(cat pushes 2>/dev/null || echo 0) + 1 )); echo $pushes > pushes
[ $((pushes % 4)) -ne 0 ] || exit 0
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
export GIT_AUTHOR_NAME=human GIT_AUTHOR_EMAIL=human@weir.test GIT_COMMITTER_NAME=human GIT_COMMITTER_EMAIL=human@weir.test
head=$(git rev-parse refs/heads/main)
made=$(git commit-tree "$head^{tree}" -p $head -m "human, $left to go")
git update-ref refs/heads/main $made $head && echo $made >> races && echo $((left - 1)) > races-left
exit 0
`;

async function everywhere({ names, tags }: ImageLoad, tag: string): Promise<void> {
  await until(
    `${tag} in every file`,
    ROUND_MS,
    100,
    async () => {
      const found = await tags();
      return names.every((name) => found.get(name) === tag) ? true : null;
    },
    async () => JSON.stringify([...(await tags())]),
  );
}

/** Pushes a tag and answers how long it took until every decision was on the branch, in ms. */
async function round(load: ImageLoad, tag: string): Promise<number> {
  await load.push(tag);
  const startedMs = performance.now();
  await load.scan();
  await everywhere(load, tag);
  return performance.now() - startedMs;
}

/** Commits with ordinary pushes until told to stop; answers the commits that went through. */
function startHuman({ stage }: ImageLoad): () => Promise<readonly string[]> {
  const state = { runs: true };
  const work = (async () => {
    const made: string[] = [];
    for (let index = 0; state.runs; index += 1) {
      // Refused, as a person's push is when somebody was faster.
      const commit = await stage.git.commitFiles('many', 'main', { [`human-${index}.txt`]: 'x' }).catch(() => null);
      if (commit !== null) made.push(commit);
      await sleep(HUMAN_MS);
    }
    return made;
  })();
  return () => {
    state.runs = false;
    return work;
  };
}

/** What is wrong with the history: lost commits, moves that were no fast-forward, fields that went back. */
async function violations({ repositoryDir, names }: ImageLoad, humans: readonly string[]) {
  const reached = new Set((await git(repositoryDir, 'rev-list', 'main')).split('\n'));
  const lost = humans.filter((commit) => !reached.has(commit)).length;
  let forced = 0;
  for (const line of (await readFile(join(repositoryDir, 'logs/refs/heads/main'), 'utf8')).trim().split('\n')) {
    const [from = '', to = ''] = line.split(' ');
    if (/^0+$/.test(from)) continue;
    if ((await git(repositoryDir, 'merge-base', from, to)).trim() !== from) forced += 1;
  }
  let wentBack = 0;
  let twice = 0;
  for (const name of names) {
    const patches = await git(repositoryDir, 'log', '--reverse', '--format=', '-p', 'main', '--', `${name}.yaml`);
    const minors = [...patches.matchAll(/^\+image: .*:1\.([0-9]+)\.0 #/gm)].map(([, minor]) => Number(minor));
    wentBack += minors.filter((minor, index) => index > 0 && minor < (minors[index - 1] ?? 0)).length;
    twice += minors.length - new Set(minors).size;
  }
  return { lost, forced, wentBack, twice, commits: reached.size - 1 };
}

async function main(): Promise<void> {
  const races = Math.min(5_000, Math.max(0, Number(process.argv[2] ?? 1_000)));
  const writers = Math.min(200, Math.max(1, Number(process.argv[3] ?? 50)));
  await withImageLoad(writers, async (load) => {
    await everywhere(load, '1.0.0');
    const aloneMs = await round(load, '1.1.0');
    const stop = startHuman(load);
    const besideHumanMs = await round(load, '1.2.0');
    const humans = [...(await stop())];
    const left = join(load.repositoryDir, 'races-left');
    await writeFile(join(load.repositoryDir, 'hooks/pre-receive'), RACE_HOOK, { mode: 0o755 });
    await writeFile(left, String(races));
    const rounds: number[] = [];
    while (races > 0 && Number(await readFile(left, 'utf8')) > 0) {
      rounds.push(await round(load, `1.${rounds.length + 3}.0`));
      process.stderr.write(
        `round ${rounds.length}: ${Math.round(rounds.at(-1) ?? 0)} ms, ${(await readFile(left, 'utf8')).trim()} races left\n`,
      );
    }
    if (races > 0) humans.push(...(await readFile(join(load.repositoryDir, 'races'), 'utf8')).trim().split('\n'));
    const sorted = rounds.toSorted((one, other) => one - other).map(Math.round);
    const inRaces = { rounds: rounds.length, medianMs: sorted[Math.floor(sorted.length / 2)], maxMs: sorted.at(-1) };
    const humanCommits = humans.length - (races > 0 ? races : 0);
    const found = await violations(load, humans);
    process.stdout.write(
      `${JSON.stringify({ writers, aloneMs: Math.round(aloneMs), besideHumanMs: Math.round(besideHumanMs), humanCommits, races, inRaces, ...found })}\n`,
    );
    if (found.lost + found.forced + found.wentBack + found.twice > 0) process.exitCode = 1;
  });
}

await main();
