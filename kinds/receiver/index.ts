import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { ReceiverSpec, ReceiverStatus } from './schema.ts';

const defaultIntervalMs = 10 * 60_000;
const passTimeoutMs = 30_000;

/** Flux's Receiver: a webhook path that makes named definitions due at once. The calls themselves are answered by the API. */
export const receiverKind = defineKind<'definition', typeof ReceiverSpec, typeof ReceiverStatus, 'secrets' | 'hooks', Seen, Act>({
  resource,
  unit: 'definition',
  worker: 'notification',
  spec: ReceiverSpec,
  status: ReceiverStatus,
  needs: ['secrets', 'hooks'],
  refs: (spec, namespace) => (spec.secretRef === undefined ? [] : [{ kind: 'Secret', namespace, name: spec.secretRef.name, on: 'change' }]),
  intervalMs: (spec) => durationMs(spec.interval, defaultIntervalMs),
  suspended: (spec) => spec.suspend === true,
  timeoutMs: () => passTimeoutMs,
  observe,
  decide,
  act,
  async finalize(ctx) {
    await ctx.hooks.register(null);
    return { is: 'ready', reason: 'Succeeded', message: 'the webhook path is closed', revision: '' };
  },
});
