import { expect, it } from 'vitest';
import { noFailpoints } from './failpoints.ts';
import { type FailpointHost, failpointsFrom } from './failpoints-env.ts';

function recorder(): Readonly<{ host: FailpointHost; seen: readonly string[] }> {
  const seen: string[] = [];
  return { seen, host: { signal: (name) => void seen.push(name), sleep: async (ms) => void seen.push(`sleep ${ms}`) } };
}

it('a release gets the inert one, named or not', () => {
  const { host } = recorder();
  expect(failpointsFrom({ failpoints: [], test: true }, host)).toBe(noFailpoints);
  expect(failpointsFrom({ failpoints: ['r1:kill'], test: false }, host)).toBe(noFailpoints);
});

it.each([
  ['r6:kill', ['SIGKILL', 'sleep 5000']],
  ['r6:stop', ['SIGSTOP']],
  ['r6:delay', ['sleep 5000']],
  ['r7:kill', []],
])('%s at r6', async (text, expected) => {
  const { host, seen } = recorder();
  await failpointsFrom({ failpoints: [text], test: true }, host).hit('r6');
  expect(seen).toEqual(expected);
});

it('throw fails the step that hits it', async () => {
  const failpoints = failpointsFrom({ failpoints: ['a2:throw', 'r6:delay'], test: true }, recorder().host);
  await expect(failpoints.hit('a2')).rejects.toThrow('failpoint a2');
});
