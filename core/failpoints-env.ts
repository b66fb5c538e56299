import type { Failpoint, Failpoints } from './failpoints.ts';
import { noFailpoints } from './failpoints.ts';

/** What a failpoint does to its process. `delay`: 5 s (reliability.md 2.3). */
type Effect = 'kill' | 'stop' | 'throw' | 'delay';

/** The parts of the process that a failpoint uses. */
export type FailpointHost = Readonly<{ signal(name: 'SIGKILL' | 'SIGSTOP'): void; sleep(ms: number): Promise<void> }>;

const delayMs = 5_000;

/**
 * The failpoints that a configuration names, as `r6:kill`. `readConfig` has refused them outside tests with stores on this machine; without any, the inert one is returned.
 * A failpoint acts each time it is hit: `kill` and `stop` send the signal and never return by themselves.
 */
export function failpointsFrom(config: Readonly<{ failpoints: readonly string[]; test: boolean }>, host: FailpointHost): Failpoints {
  if (config.failpoints.length === 0 || !config.test) return noFailpoints;
  const effects = new Map<string, Effect>(config.failpoints.map(parse));
  return Object.freeze({
    async hit(point: Failpoint): Promise<void> {
      const effect = effects.get(point);
      if (effect !== undefined) await act(effect, point, host);
    },
  });
}

async function act(effect: Effect, point: Failpoint, host: FailpointHost): Promise<void> {
  switch (effect) {
    case 'kill':
      host.signal('SIGKILL');
      return host.sleep(delayMs);
    case 'stop':
      host.signal('SIGSTOP');
      return;
    case 'throw':
      throw new Error(`failpoint ${point}`);
    case 'delay':
      return host.sleep(delayMs);
  }
}

function parse(text: string): [string, Effect] {
  const [point, effect] = text.split(':');
  if (point === undefined || !isEffect(effect)) throw new Error('a failpoint is <point>:<kill|stop|throw|delay>');
  return [point, effect];
}

function isEffect(text: string | undefined): text is Effect {
  return text === 'kill' || text === 'stop' || text === 'throw' || text === 'delay';
}
