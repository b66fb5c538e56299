import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseJson } from '#core/json.ts';
import { callPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import type { GitServer } from '#deploy/local/git-server.ts';
import { newCanaries, type Sighting } from '#tests/attacks/canaries.ts';
import { isOfThePlane, makeRobot, tellStory } from '#tests/attacks/leak-story.ts';
import { filesBelow, postgresRows, redisKeys } from '#tests/attacks/open-stores.ts';
import { type Recording, recordCalls } from '#tests/attacks/recorded-calls.ts';
import { openGit, pathOf, type Told } from '#tests/attacks/two-tenants.ts';
import { type ProcessWatch, watchProcesses } from '#tests/attacks/watched-processes.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { attackPlane } from '#tests/harness/parts.ts';

/**
 * Observer R: about forty secrets are planted, a day in the life of two tenants goes by, most of it wrong, and then every place is searched for them. Each search first finds a
 * harmless marker in the same place, so that none of them is blind.
 */
const children = useChildren('file');
const dir = useTemporaryDir('file');
const canaries = newCanaries();
const marker = `marker-${process.pid}-${Date.now()}`;
const told: Record<string, Told> = {};
let plane: SharedAttackPlane;
let git: GitServer;
let calls: Recording;
let processes: ProcessWatch;

beforeAll(async () => {
  plane = await attackPlane();
  const { alice, vera, bob, pat } = plane.people;
  git = await openGit(plane, children, join(dir(), 'git'));
  processes = watchProcesses(plane.pid);
  const robot = await makeRobot({ plane, canaries });
  const people = new Map<string, PlaneUser>(Object.entries({ alice, vera, bob, pat, robot }));
  calls = recordCalls(people, alice);
  await tellStory({ plane, git, calls, canaries, dir: dir(), marker, told });
});

afterAll(async () => {
  processes.stop();
  await calls.close();
  await git.stop();
});

/** The program, or what `timeout <seconds>` runs. */
function isGit(environment: string): boolean {
  return environment
    .split('\n')
    .slice(0, 3)
    .some((part) => /(^|\/)git(-remote-https)?$/.test(part));
}

function expectNothing(sightings: readonly Sighting[]): void {
  expect(sightings.map(({ label, where, around }) => `${label} in ${where}: …${around}…`)).toEqual([]);
}

/** Any signed token at all. */
const JWT = /eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}/;

describe('observer R: nothing is read or leaked', () => {
  test('the story went as it should: what is wrong is refused with a reason, the twins are Ready', () => {
    expect(canaries.labels().length).toBeGreaterThan(40);
    const readiness = Object.fromEntries(Object.entries(told).map(([name, one]) => [name, [one.status, one.reason]]));
    expect(readiness).toEqual({
      'r-basic': ['True', 'Succeeded'],
      'r-bearer': ['True', 'Succeeded'],
      'r-basic-wrong': ['False', 'AuthenticationFailed'],
      'r-bearer-wrong': ['False', 'AuthenticationFailed'],
      'r-ok': ['True', 'ReconciliationSucceeded'],
      'r-label': ['False', 'ReconciliationFailed'],
      'r-port': ['False', 'ReconciliationFailed'],
      'r-broken': ['False', 'BuildFailed'],
      'r-place': ['False', 'ReconciliationFailed'],
      'r-rejected': ['False', 'ReconciliationFailed'],
      'r-kubeconfig-exec': ['False', expect.any(String)],
      'r-kubeconfig-wrong': ['False', 'ClusterRefused'],
    });
  });

  test('every answer of the API to who may not read it', () => {
    const answers = calls.answers();
    expect(answers.length).toBeGreaterThan(500);
    expect(answers.some((one) => one.who === 'vera' && one.status === 200 && one.text.includes('r-basic-wrong'))).toBe(true);
    // Each admin may read the Secrets of their own tenant, and nobody anything of the plane.
    const hers = canaries.labels().filter((one) => !isOfThePlane(one) && one !== 'other-tenant');
    const own = (who: string, what: string) => {
      if (!/\/secrets(\?|$)/.test(what)) return [];
      return who === 'bob' ? ['other-tenant'] : who === 'alice' ? hers : [];
    };
    expectNothing(answers.flatMap(({ who, what, status, text }) => canaries.find(`${who} ${what}: ${status}`, text, own(who, what))));
  });

  test('the log', async () => {
    const log = await readFile(plane.logFile, 'utf8');
    expect(log).toContain('team-a/r-broken');
    expectNothing(canaries.find('the log', log));
    expect(JWT.exec(log)?.[0]).toBe(undefined);
  });

  test('PostgreSQL: every row of every table', async () => {
    const rows = await postgresRows(plane);
    expect(rows.some((one) => one.content.includes(marker))).toBe(true);
    expectNothing(rows.flatMap(({ where, content }) => canaries.find(where, content)));
    for (const { where, content } of rows) expect(JWT.exec(content.toString('latin1'))?.[0], where).toBe(undefined);
  });

  test('Redis: every key and value', async () => {
    const redis = new Redis(plane.redisUrl);
    await redis.set(marker, marker, 'EX', 60);
    redis.disconnect();
    const keys = await redisKeys(plane);
    expect(keys.some((one) => one.content.includes(marker))).toBe(true);
    expectNothing(keys.flatMap(({ where, content }) => canaries.find(where, content)));
  });

  test('files: caches, temporary folders, stores, core files', async () => {
    // Content of a source lies in its mirror, artifact and render; a key is in its own file and nowhere else.
    const allowed: readonly (readonly [string, readonly string[]])[] = [
      [join(plane.stateDir, 'keys', 'kek'), ['kek']],
      [join(plane.stateDir, 'keys', 'database-app'), ['database-app']],
      [join(plane.stateDir, 'keys', 'database-scheduler'), ['database-scheduler']],
      [join(plane.stateDir, 'keys', 'api'), ['api']],
      [join(plane.stateDir, 'ca'), ['authority-key']],
      [join(plane.stateDir, 'artifacts'), ['manifest-in-git']],
      [join(plane.stateDir, 'renders'), ['manifest-in-git']],
      [join(plane.stateDir, 'work'), ['manifest-in-git']],
      [join(plane.dir, 'postgres'), ['database-owner']],
      [join(plane.dir, 'redis'), ['redis']],
    ];
    await writeFile(join(plane.temporaryDir, marker), marker);
    const seen = { marker: false, artifact: false };
    const sightings: Sighting[] = [];
    for (const place of [plane.stateDir, plane.temporaryDir, join(plane.dir, 'postgres'), join(plane.dir, 'redis')])
      for await (const { where, content } of filesBelow(place)) {
        seen.marker ||= where.startsWith(plane.temporaryDir) && content.includes(marker);
        seen.artifact ||= where.startsWith(join(plane.stateDir, 'artifacts')) && content.includes(marker);
        const but = allowed.flatMap(([prefix, labels]) => (where.startsWith(prefix) ? labels : []));
        sightings.push(...canaries.find(where, content, but));
      }
    expect(seen).toEqual({ marker: true, artifact: true });
    expectNothing(sightings);
  });

  test('processes: no command line, and no environment of a child, holds one', () => {
    const commands = [...processes.commands()].join('\n');
    expect(commands).toContain('git');
    expectNothing(canaries.find('a command line', commands));
    const environments = [...processes.environments()];
    expect(environments.some((one) => one.includes('GIT_TERMINAL_PROMPT'))).toBe(true);
    // Git is given the login of its own source that way, so that it is in no command line and no file.
    const logins = ['git-password', 'git-password-wrong', 'git-bearer', 'git-bearer-wrong'];
    expectNothing(environments.flatMap((one) => canaries.find(one.slice(0, 200), one, isGit(one) ? logins : [])));
    expect(JWT.exec(commands)?.[0]).toBe(undefined);
  });

  test('benign twin: who may read a Secret reads it', async () => {
    const { alice } = plane.people;
    const { body } = await callPlane(alice, 'GET', pathOf('Secret', 'team-a', 'r-string-data'));
    expect(canaries.find('her own Secret', JSON.stringify(parseJson(JSON.stringify(body))))).toMatchObject([{ label: 'string-data' }]);
  });
});
