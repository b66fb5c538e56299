import { expect, it } from 'vitest';
import { decide } from './decide.ts';
import type { ReceiverObj, Seen } from './observe.ts';
import { pathDigest, webhookPath } from './path.ts';
import type { ReceiverSpec } from './schema.ts';
import { unsupportedField } from './support.ts';

const digest = 'a'.repeat(64);
const spec: ReceiverSpec = { type: 'github', resources: [{ kind: 'GitRepository', name: 'app' }], secretRef: { name: 'hook' } };

function receiver(shown: string | undefined): ReceiverObj {
  const definition = {
    tenantId: '00000000-0000-4000-8000-00000000000a',
    kind: 'Receiver',
    uid: '00000000-0000-4000-8000-00000000000b',
    namespace: 'acme',
    name: 'hook',
    generation: 1,
    resourceVersion: '1',
    createdAtMs: 0,
    deletingAtMs: null,
    labels: {},
    annotations: {},
    finalizers: [],
    ownerReferences: [],
    managedFields: [],
    body: {},
    status: null,
    sealedKeys: [],
    createdBy: 'x|y',
  };
  return { definition, spec, status: shown === undefined ? null : { webhookPath: shown }, done: [] };
}

const rows: readonly (readonly [string, string | undefined, Seen, object])[] = [
  ['a token and no path: open it', undefined, { at: 'token', digest }, { do: 'open', digest }],
  ['a token and an emptied path: open it', '', { at: 'token', digest }, { do: 'open', digest }],
  ['the token changed: open the new path', '/hook/old', { at: 'token', digest }, { do: 'open', digest }],
  ['the path is the token’s: ready', `/hook/${digest}`, { at: 'token', digest }, { is: 'ready', reason: 'Succeeded' }],
  ['the token went away: close first', `/hook/${digest}`, { at: 'tokenMissing', message: 'gone' }, { do: 'close' }],
  [
    'no token, no path: failed and tried again',
    '',
    { at: 'tokenMissing', message: 'gone' },
    { is: 'failed', reason: 'TokenNotFound', message: 'gone' },
  ],
  ['a setting we do not serve: close first', `/hook/${digest}`, { at: 'unsupported', message: 'no' }, { do: 'close' }],
  [
    'a setting we do not serve: a person must act',
    undefined,
    { at: 'unsupported', message: 'no' },
    { is: 'stalled', reason: 'UnsupportedField', message: 'no' },
  ],
];

it.each(rows)('%s', (_what, shown, seen, expected) => {
  expect(decide(receiver(shown), seen)).toMatchObject(expected);
});

it('the path is that of flux trigger receiver: SHA-256 of token, name, namespace joined', () => {
  // printf %s 'tokenhookacme' | sha256sum
  expect(webhookPath(pathDigest(Buffer.from('token'), { name: 'hook', namespace: 'acme' }))).toBe(
    '/hook/7d183640871830246d4c94cae1a4eeaf31c5a105667ce107e59b0e4349c34e76',
  );
});

it.each<[string, Partial<ReceiverSpec>, string | null]>([
  ['a type that is served', {}, null],
  ['a type of a later release', { type: 'gcr' }, 'spec.type gcr'],
  ['a filter for all', { resourceFilter: 'true' }, 'spec.resourceFilter'],
  ['a filter for one', { resources: [{ kind: 'GitRepository', name: 'app', filter: 'true' }] }, 'spec.resources[0].filter'],
  ['* without labels', { resources: [{ kind: 'GitRepository', name: '*' }] }, 'spec.resources[0].matchLabels'],
  ['* with labels', { resources: [{ kind: 'GitRepository', name: '*', matchLabels: { tier: 'app' } }] }, null],
])('%s', (_what, change, expected) => {
  const found = unsupportedField({ ...spec, ...change });
  if (expected === null) expect(found).toBeNull();
  else expect(found).toContain(expected);
});
