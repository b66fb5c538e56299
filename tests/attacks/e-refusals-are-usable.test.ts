import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject, parseJson, textAt } from '#core/json.ts';
import type { PlaneUser } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { type Recorded, type Recording, recordCalls } from '#tests/attacks/recorded-calls.ts';
import { asSuperuser, object, pathOf } from '#tests/attacks/two-tenants.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import { attackPlane } from '#tests/harness/parts.ts';

/** Observer E: a refusal has a stable reason, says what is wrong without a secret, and can be found again by its Audit-Id with who asked. */
const canary = 'canary-e-refused-value';
let plane: SharedAttackPlane;
let calls: Recording;

beforeAll(async () => {
  plane = await attackPlane();
  calls = recordCalls(new Map<string, PlaneUser>(Object.entries(plane.people)), plane.people.alice);
});

afterAll(() => calls.close());

const spec = (more: JsonObject): JsonObject => ({
  spec: { interval: '10m', prune: true, path: './', sourceRef: { kind: 'GitRepository', name: 'x' }, ...more },
});
const definition = (namespace: string, more: JsonObject): JsonObject => object('Kustomization', namespace, 'e-refused', spec(more));
const repository = (url: string): JsonObject => object('GitRepository', 'team-a', 'e-refused', { spec: { url, interval: '10m' } });
const here = pathOf('Kustomization', 'team-a');

const refusals: readonly (readonly [string, string, string, JsonObject, number, string, RegExp])[] = [
  ['a viewer writes', 'vera', here, definition('team-a', {}), 403, 'Forbidden', /vera.*cannot create.*kustomizations.*team-a/],
  ['the other tenant writes', 'bob', here, definition('team-a', {}), 404, 'NotFound', /namespaces "team-a" not found/],
  [
    'a field of another type',
    'alice',
    here,
    definition('team-a', { interval: 5 }),
    422,
    'Invalid',
    /"e-refused" is invalid: spec\.interval/,
  ],
  ['an account that is none', 'alice', here, definition('team-a', { serviceAccountName: 7 }), 422, 'Invalid', /spec\.serviceAccountName/],
  ['an address that is an option', 'alice', pathOf('GitRepository', 'team-a'), repository('--upload-pack=x'), 422, 'Invalid', /spec\.url/],
  [
    'an address with a login',
    'alice',
    pathOf('GitRepository', 'team-a'),
    repository(`https://u:${canary}@x.test/y`),
    422,
    'Invalid',
    /spec\.url.*Secret.*spec\.secretRef/,
  ],
  [
    'a value that is no base64',
    'alice',
    pathOf('Secret', 'team-a'),
    object('Secret', 'team-a', 'e-refused', { data: { a: `${canary}!` } }),
    400,
    'BadRequest',
    /illegal base64 data/,
  ],
];

function auditIdOf(one: Recorded): string {
  const headers = parseJson(one.text.split('\n')[0] ?? '{}');
  return textAt(headers, 'audit-id') ?? '';
}

function bodyOf(one: Recorded): JsonObject {
  const body = parseJson(one.text.split('\n').slice(1).join('\n'));
  return isObject(body) ? body : {};
}

describe('observer E: writes that the API refuses', () => {
  test.each(refusals)('%s', async (_title, who, path, body, status, reason, message) => {
    const answer = await calls.ask(who, path, { method: 'POST', body });
    expect(answer.status, answer.text).toBe(status);
    expect(bodyOf(answer)).toMatchObject({ kind: 'Status', status: 'Failure', reason, code: status });
    expect(textAt(bodyOf(answer), 'message')).toMatch(message);
    expect(answer.text).not.toContain(canary);
    const line = await until('the line in the log', 5_000, 50, async () => {
      const log = await readFile(plane.logFile, 'utf8');
      return log.split('\n').find((one) => one.includes('"a request was refused"') && one.includes(auditIdOf(answer))) ?? null;
    });
    expect(parseJson(line)).toMatchObject({
      code: status,
      reason,
      method: 'POST',
      namespace: 'team-a',
      actor: expect.stringMatching(new RegExp(`\\|${who}$`)),
    });
    expect(line).not.toContain(canary);
  });

  test('benign twin: what is accepted is in the audit by the Audit-Id of its answer', async () => {
    const answer = await calls.ask('alice', pathOf('ConfigMap', 'team-a'), {
      method: 'POST',
      body: object('ConfigMap', 'team-a', 'e-accepted', { data: { a: 'b' } }),
    });
    expect(answer.status).toBe(201);
    await asSuperuser(plane, async (client) => {
      const { rows } = await client.query<{ entry: string }>('select entry from weir.audit where entry like $1', [
        `%${auditIdOf(answer)}%`,
      ]);
      expect(rows.map((row) => parseJson(row.entry))).toMatchObject([{ verb: 'create', kind: 'ConfigMap', name: 'e-accepted' }]);
    });
  });

  test('a webhook that fails leaves its path out of the log: the path is the secret', async () => {
    const digest = 'e'.repeat(64);
    const answer = await calls.ask('nobody', `/hook/${digest}`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(404);
    const log = await until('the line in the log', 5_000, 50, async () => {
      const text = await readFile(plane.logFile, 'utf8');
      return text.includes(auditIdOf(answer)) ? text : null;
    });
    expect(log).toContain('/hook/:digest');
    expect(log).not.toContain(digest);
  });
});
