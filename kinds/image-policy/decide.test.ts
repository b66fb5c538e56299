import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import type { ImagePolicyObj, Seen } from './observe.ts';
import type { ImagePolicyStatus } from './schema.ts';

function obj(status: ImagePolicyStatus | null): ImagePolicyObj {
  return { definition: { generation: 1 }, spec: {}, status, done: [] } as never;
}

const ref = (tag: string, digest?: string, name = 'r/x') => ({ name, tag, ...(digest === undefined ? {} : { digest }) });
const chosen = (one: ReturnType<typeof ref>, isHeld = false): Seen => ({ at: 'chosen', ref: one, isHeld });

test.each<readonly [string, ImagePolicyStatus | null, Seen, object]>([
  ['missing', null, { at: 'missing', message: 'm' }, { is: 'failed', reason: 'DependencyNotReady' }],
  ['denied', null, { at: 'denied', message: 'm' }, { is: 'failed', reason: 'AccessDenied' }],
  ['image invalid', null, { at: 'imageInvalid', message: 'm' }, { is: 'stalled', reason: 'ImageURLInvalid' }],
  ['policy invalid', null, { at: 'invalid', message: 'm' }, { is: 'stalled', reason: 'InvalidPolicy' }],
  ['no interval', null, { at: 'noInterval', message: 'm' }, { is: 'stalled', reason: 'IntervalNotConfigured' }],
  ['failed', null, { at: 'failed', message: 'm', retryAfterMs: 7 }, { is: 'failed', reason: 'Failure', retryAfterMs: 7 }],
  [
    'first choice',
    null,
    chosen(ref('1')),
    { is: 'ready', message: 'Latest image tag for r/x resolved to 1', shown: { status: { latestRef: ref('1') } } },
  ],
  [
    'next choice',
    { latestRef: ref('1') },
    chosen(ref('2')),
    {
      message: 'Latest image tag for r/x resolved to 2 (previously r/x:1)',
      shown: { status: { latestRef: ref('2'), observedPreviousRef: ref('1') } },
    },
  ],
  ['same choice', { latestRef: ref('2'), observedPreviousRef: ref('1') }, chosen(ref('2')), { shown: { status: { latestRef: ref('2') } } }],
  [
    'moved digest',
    { latestRef: ref('1', 'sha256:a') },
    chosen(ref('1', 'sha256:b')),
    { revision: 'r/x:1@sha256:b', shown: { status: { latestRef: ref('1', 'sha256:b'), observedPreviousRef: ref('1', 'sha256:a') } } },
  ],
  ['held', { latestRef: ref('2') }, chosen(ref('2'), true), { is: 'ready', message: expect.stringContaining('no longer in the registry') }],
])('%s', (_name, status, seen, expected) => {
  expect(decide(obj(status), seen)).toMatchObject(expected);
});
