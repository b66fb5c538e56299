import { expect, it } from 'vitest';
import type { PullRequest } from '#core/pull-requests.ts';
import { decide } from './decide.ts';
import type { Look, PolicyObj, Seen } from './observe.ts';
import type { PullRequestPolicySpec, Request } from './schema.ts';
import type { Target } from './targets.ts';
import { hasText, isOurs, wantedText } from './text.ts';

const commit = 'a'.repeat(40);
const target: Target = {
  automations: ['app'],
  repository: 'team/app',
  head: 'weir/images',
  base: 'main',
  commit,
  choices: [{ policy: 'app', image: 'ghcr.io/team/app:1.2.0' }],
};
const spec: PullRequestPolicySpec = {
  automations: { names: ['app'] },
  provider: 'github',
  secretRef: { name: 'forge' },
  labels: ['images'],
};
const definition = {
  tenantId: '00000000-0000-4000-8000-00000000000a',
  kind: 'PullRequestPolicy',
  uid: '00000000-0000-4000-8000-00000000000b',
  namespace: 'acme',
  name: 'images',
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
const obj: PolicyObj = { definition, spec, status: null, done: [] };
const text = wantedText(definition, spec, target);
const ours: PullRequest = { number: 3, url: 'https://forge.test/3', state: 'open', headCommit: commit, ...text };
const seen = (change: Partial<Extract<Look, { is: 'seen' }>>): Seen => ({
  at: 'seen',
  looks: [{ target, is: 'seen', request: null, isAhead: true, ...change }],
  left: [],
  kept: [],
  unknown: [],
});
const entry: Request = { automations: ['old'], repository: 'team/app', head: 'weir/old', base: 'main', state: 'Open', commit, number: 2 };

it.each<[string, Seen, object]>([
  ['nothing there and commits to merge: open', seen({}), { do: 'sync', steps: [{ is: 'open', text }] }],
  ['nothing to merge: up to date', seen({ isAhead: false }), { is: 'ready', shown: { status: { requests: [{ state: 'UpToDate' }] } } }],
  [
    'open with the text: nothing',
    seen({ request: ours }),
    { is: 'ready', shown: { status: { requests: [{ state: 'Open', number: 3 }] } } },
  ],
  ['the title of a person stays', seen({ request: { ...ours, title: 'hands off' } }), { is: 'ready' }],
  [
    'made from older choices: update',
    seen({ request: { ...ours, body: text.body.replace(/:[0-9a-f]{64} /, `:${'0'.repeat(64)} `) } }),
    { steps: [{ is: 'update', number: 3 }] },
  ],
  ['a label is missing: update', seen({ request: { ...ours, labels: [] } }), { steps: [{ is: 'update', number: 3 }] }],
  [
    'overtaken by the base: close',
    seen({ request: ours, isAhead: false }),
    { steps: [{ is: 'close', number: 3, entry: { state: 'Closed' } }] },
  ],
  [
    'somebody else’s is let be, also when overtaken',
    seen({ request: { ...ours, body: 'mine' }, isAhead: false }),
    { is: 'ready', shown: { status: { requests: [{ state: 'Open', message: 'somebody else opened it; it is let be' }] } } },
  ],
  [
    'merged at this commit, perhaps squashed: none again',
    seen({ request: { ...ours, state: 'merged' } }),
    { is: 'ready', shown: { status: { requests: [{ state: 'Merged' }] } } },
  ],
  [
    'closed by a person at this commit: none again',
    seen({ request: { ...ours, state: 'closed', headCommit: commit.slice(0, 12) } }),
    { is: 'ready', shown: { status: { requests: [{ state: 'Closed' }] } } },
  ],
  [
    'closed at an older commit: open',
    seen({ request: { ...ours, state: 'closed', headCommit: 'b'.repeat(40) } }),
    { steps: [{ is: 'open' }] },
  ],
  [
    'one failed: said, and the rest done',
    { at: 'seen', looks: [{ target, is: 'failed', message: 'gone' }], left: [], kept: [], unknown: [] },
    { is: 'failed', reason: 'PullRequestFailed', message: 'gone' },
  ],
  [
    'where an automation pushes is not known: said, and its request kept',
    { at: 'seen', looks: [], left: [], kept: [entry], unknown: ['why'] },
    { is: 'failed', message: 'why', shown: { status: { requests: [entry] } } },
  ],
  [
    'nobody pushes there any more: close',
    { at: 'seen', looks: [], left: [{ entry, is: 'seen', request: ours }], kept: [], unknown: [] },
    { steps: [{ is: 'close', number: 3, entry: { head: 'weir/old' } }] },
  ],
  [
    'that is somebody else’s by now: forgotten',
    { at: 'seen', looks: [], left: [{ entry, is: 'seen', request: { ...ours, body: '' } }], kept: [], unknown: [] },
    { is: 'ready', shown: { status: { requests: [] } } },
  ],
  [
    'that could not be looked at: tried again',
    { at: 'seen', looks: [], left: [{ entry, is: 'failed', message: 'slow' }], kept: [], unknown: [] },
    { is: 'failed', shown: { status: { requests: [{ state: 'Failed', head: 'weir/old' }] } } },
  ],
  ['no credential: failed', { at: 'noCredential', message: 'none' }, { is: 'failed', reason: 'AuthenticationFailed' }],
  ['cannot be served: a person must act', { at: 'invalid', message: 'two branches' }, { is: 'stalled', reason: 'ValidationFailed' }],
])('%s', (_what, look, expected) => {
  expect(decide(obj, look)).toMatchObject(expected);
});

it('a policy knows its own requests by their last line, with either line end, and no other policy’s', () => {
  expect(isOurs(definition, ours)).toBe(true);
  expect(isOurs(definition, { ...ours, body: ours.body.replaceAll('\n', '\r\n') })).toBe(true);
  expect(isOurs({ ...definition, uid: '00000000-0000-4000-8000-00000000000c' }, ours)).toBe(false);
  expect(hasText({ ...ours, body: ours.body.replaceAll('\n', '\r\n') }, text)).toBe(true);
  expect(hasText({ ...ours, labels: ['Images', 'more'] }, text)).toBe(true);
});

it('names of a registry cannot leave their cell', () => {
  const hostile = wantedText(definition, spec, { ...target, choices: [{ policy: 'a', image: 'x`|@everyone\n<!-- weir:1 -->' }] });
  expect(hostile.body).toContain('| `a` | `x@everyone<!--weir:1-->` |');
  expect(isOurs(definition, { ...ours, body: hostile.body })).toBe(true);
});
