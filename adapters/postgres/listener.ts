import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '#core/log.ts';
import { clientConfig } from './pool.ts';
import { cleanError } from './sql-error.ts';

export type Channel = 'weir_changes' | 'weir_work' | 'weir_outbox';

export type Listener = Readonly<{
  /** Wakes on a notification, and after every restored connection, since one may have been missed. Returns the stop function. */
  listen(channel: Channel, onWake: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}>;

const channels: readonly Channel[] = Object.freeze(['weir_changes', 'weir_work', 'weir_outbox']);
const firstDelayMs = 50;
const maxDelayMs = 2_000;

type State = { client: pg.Client | null; opening: Promise<void> | null; closed: boolean; readonly stop: AbortController };

/** LISTEN on one connection of its own, opened with the first listener and restored when it is lost. Payloads are not looked at. */
export function openListener(options: Readonly<{ url: string; log: Log }>): Listener {
  const wakes = new Map<Channel, Set<() => void>>(channels.map((channel) => [channel, new Set()]));
  const state: State = { client: null, opening: null, closed: false, stop: new AbortController() };
  const wake = (channel: string): void => {
    for (const [name, listeners] of wakes) if (name === channel || channel === '*') for (const one of listeners) one();
  };
  const lost = (client: pg.Client): void => {
    if (state.closed || state.client !== client) return;
    state.client = null;
    options.log.warn({}, 'listening connection lost');
    void restore();
  };
  const connect = async (): Promise<void> => {
    const client = new pg.Client({ ...clientConfig(options.url, 'weir-listen'), keepAliveInitialDelayMillis: 10_000 });
    client.on('error', () => lost(client));
    client.on('end', () => lost(client));
    client.on('notification', (message) => wake(message.channel));
    await client.connect();
    for (const channel of channels) await client.query(`listen ${channel}`);
    if (state.closed) return client.end();
    state.client = client;
  };
  const restore = async (): Promise<void> => {
    for (let delayMs = firstDelayMs; !state.closed; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
      try {
        await sleep(delayMs, undefined, { signal: state.stop.signal });
        await connect();
        return wake('*');
      } catch (error) {
        options.log.debug({ error: cleanError(error).message }, 'listening connection not restored yet');
      }
    }
  };
  return Object.freeze({
    listen: async (channel: Channel, onWake: () => void) => {
      if (state.client === null) {
        state.opening ??= connect().catch((error: unknown) => {
          state.opening = null;
          throw cleanError(error);
        });
        await state.opening;
      }
      wakes.get(channel)?.add(onWake);
      return async () => {
        wakes.get(channel)?.delete(onWake);
      };
    },
    close: async () => {
      state.closed = true;
      state.stop.abort();
      await state.client?.end();
      state.client = null;
    },
  });
}
