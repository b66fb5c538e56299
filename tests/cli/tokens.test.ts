import { expect, test } from 'vitest';
import { weir } from '#tests/cli/cli-harness.ts';
import { asPerson } from '#tests/cli/plane-access.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const api = useApi();
const dir = useTemporaryDir();
const PLACEMENTS = '/apis/weir.dev/v1/namespaces/acme/placements';

test('tokens are listed without their values, and a revoked one is refused at once', async () => {
  const me = await asPerson(api, dir(), 'editor');
  const make = async (name: string): Promise<string> =>
    (
      await weir(me, 'token', 'create', name, '--verb', 'placements=get,list', '--duration', '2d', '--description', `for ${name}`)
    ).out.trim();
  const [first, second] = [await make('ci'), await make('bot')];
  const listed = await weir(me, 'token', 'list');
  expect(listed.code, listed.err).toBe(0);
  const [titles = '', ...rows] = listed.out.trimEnd().split('\n');
  expect(titles.split(/ {2,}/)).toEqual(['NAME', 'PREFIX', 'EXPIRES', 'DESCRIPTION']);
  expect(rows.map((row) => row.split(/ {2,}/)[0]).toSorted()).toEqual(['bot', 'ci']);
  const wide = await weir(me, 'token', 'list', '-o', 'wide');
  expect(wide.out).toContain('placements=get,list');
  const json = await weir(me, 'token', 'list', '-o', 'json');
  for (const text of [listed.out, wide.out, json.out]) for (const value of [first, second]) expect(text).not.toContain(value);
  expect(JSON.parse(json.out).items).toHaveLength(2);

  expect((await api.ask(null, PLACEMENTS, { token: first })).status).toBe(200);
  expect((await weir(me, 'token', 'revoke', 'ci', 'nothing', '--yes')).code, 'all or none').toBe(1);
  expect((await api.ask(null, PLACEMENTS, { token: first })).status).toBe(200);
  const revoked = await weir(me, 'token', 'revoke', 'ci', '--yes');
  expect([revoked.code, revoked.out]).toEqual([0, 'accesstoken.weir.dev/ci revoked\n']);
  expect((await api.ask(null, PLACEMENTS, { token: first })).status).toBe(401);
  expect((await api.ask(null, PLACEMENTS, { token: second })).status, 'the other one goes on').toBe(200);
});

test('without a terminal and without --yes nothing is revoked; another member’s token is none of yours', async () => {
  const admin = await asPerson(api, dir(), 'admin');
  await weir(admin, 'token', 'create', 'theirs', '--verb', 'placements=get', '--duration', '1d');
  const asked = await weir(admin, 'token', 'revoke', 'theirs');
  expect(asked.code).not.toBe(0);
  const editor = await asPerson(api, dir(), 'editor');
  expect((await weir(editor, 'token', 'revoke', 'theirs', '--yes')).code).toBe(1);
  expect((await weir(editor, 'token', 'list')).out).not.toContain('theirs');
  expect((await weir(admin, 'token', 'list')).out).toContain('theirs');
});
