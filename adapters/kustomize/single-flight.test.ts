import { expect, test } from 'vitest';
import { createSingleFlight } from './single-flight.ts';

const never = new AbortController().signal;

test('who asks while it runs shares the result; afterwards it runs again', async () => {
  const flights = createSingleFlight<number>();
  let runs = 0;
  const work = async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    runs += 1;
    return runs;
  };
  expect(await Promise.all([flights.run('a', work, never), flights.run('a', work, never), flights.run('b', work, never)])).toEqual([
    1, 1, 2,
  ]);
  expect(await flights.run('a', work, never)).toBe(3);
});

test('one who leaves does not stop the others; the last who leaves does', async () => {
  const flights = createSingleFlight<string>();
  let aborted = false;
  const work = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve('done'), 60);
      signal.addEventListener('abort', () => {
        aborted = true;
        clearTimeout(timer);
        reject(new Error('stopped'));
      });
    });
  const first = new AbortController();
  const leaving = flights.run('a', work, first.signal);
  const staying = flights.run('a', work, never);
  first.abort(new Error('left'));
  await expect(leaving).rejects.toThrow('left');
  expect(await staying).toBe('done');
  aborted = false;
  const alone = new AbortController();
  const last = flights.run('a', work, alone.signal);
  alone.abort(new Error('left'));
  await expect(last).rejects.toThrow('left');
  expect(aborted).toBe(true);
});
