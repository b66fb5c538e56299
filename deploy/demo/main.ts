import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Children, openChildren } from '#deploy/local/children.ts';
import { AlreadyRunning, lockInstance } from '#deploy/plane/lock.ts';
import { goOnByHand, readyEvent } from './hand-out.ts';
import { tellHelm } from './helm-story.ts';
import { tellImages } from './image-story.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { logInAll, writeKubeconfig } from './people.ts';
import { setScene } from './scene.ts';
import { type Stage, startStage } from './stage.ts';
import { tellStory } from './story.ts';

/**
 * `npm run demo`: the main job, end to end, on real parts. `--once` does it unattended and ends; `--json` speaks in one JSON object per line. Any false step ends with
 * `ok: false` and exit code 1, and nothing is left running.
 */
async function main(): Promise<void> {
  const once = process.argv.includes('--once');
  const json = process.argv.includes('--json');
  const narrator = createNarrator(json, Date.now());
  const root = resolve(argument('--dir') ?? join('.weir', 'demo'));
  await mkdir(root, { recursive: true, mode: 0o755 });
  const lock = await lockInstance(root);
  const children = openChildren();
  const ending = waitForEnd();
  const run: { stage: Stage | null } = { stage: null };
  try {
    const told = await Promise.race([play(children, narrator, join(root, 'run'), run), ending.then(() => null)]);
    if (told === null) return;
    if (once) {
      process.stdout.write(`${JSON.stringify({ ok: true, ...told })}\n`);
      return;
    }
    if (!json) narrator.say('\nRunning. Ctrl-C ends everything.');
    await ending;
  } catch (error) {
    process.exitCode = 1;
    const message = error instanceof Error ? error.message : String(error);
    if (once || json) process.stdout.write(`${JSON.stringify({ ok: false, error: message })}\n`);
    else process.stderr.write(`✗ ${message}\n  Logs are in ${join(root, 'run')}\n`);
  } finally {
    await run.stage?.stop().catch((error: unknown) => process.stderr.write(`a part did not stop: ${String(error)}\n`));
    children.killAll();
    await lock.release();
  }
}

async function play(children: Children, narrator: Narrator, dir: string, run: { stage: Stage | null }) {
  const stage = await startStage(children, narrator, dir);
  run.stage = stage;
  narrator.say(`           The plane may reach 127.0.0.0/8 here (WEIR_EGRESS_ALLOW), since every part of the demo is on this machine.`);
  const people = await logInAll(stage);
  const kubeconfigs = join(dir, 'kubeconfigs');
  const admin = await writeKubeconfig(kubeconfigs, 'platform-admin', people.pat, 'weir-system');
  const scene = await setScene(stage, people, narrator, admin.kubeconfig);
  const users = [
    await writeKubeconfig(kubeconfigs, 'alice', people.alice, scene.teamA.namespace),
    await writeKubeconfig(kubeconfigs, 'bob', people.bob, scene.teamB.namespace),
  ];
  const told = await tellStory(stage, people, scene, narrator);
  const helm = stage.registry === null ? null : await tellHelm(stage, stage.registry, people, scene, narrator);
  const image = stage.registry === null ? null : await tellImages(stage, stage.registry, people, scene, narrator);
  if (helm === null)
    narrator.say(
      '           The parts on Helm and on images are left out: no OCI registry on this machine. Install docker-registry, then run the demo again.',
    );
  const copy = await stage.git.workingCopy(scene.teamA.repository);
  const handed = { stage, scene, admin, users, workingCopy: copy.dir };
  narrator.event('ready', readyEvent(handed));
  await goOnByHand(handed, narrator);
  return {
    clusters: stage.clusters.length,
    tenants: 2,
    deliveries: scene.deliveries,
    objects: scene.objects,
    firstSyncMs: scene.firstSyncMs,
    ...told,
    ...(helm === null ? {} : { helm }),
    ...(image === null ? {} : { image }),
  };
}

/** The value after a flag, or null. */
function argument(flag: string): string | null {
  const at = process.argv.indexOf(flag);
  return at < 0 ? null : (process.argv[at + 1] ?? null);
}

function waitForEnd(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done());
  });
}

try {
  await main();
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(
    `${error instanceof AlreadyRunning ? error.message : String(error instanceof Error ? (error.stack ?? error.message) : error)}\n`,
  );
}
process.exit();
