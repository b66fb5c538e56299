type Flight<T> = { readonly result: Promise<T>; readonly controller: AbortController; waiting: number };

export interface SingleFlight<T> {
  /** The result of the work under this key; whoever asks while it runs shares it. The work is aborted when everybody who waits for it has left. */
  run(key: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();
  function start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const result = work(controller.signal).finally(() => {
      if (flights.get(key)?.controller === controller) flights.delete(key);
    });
    // Everybody may have left: the error is then nobody's, and not unhandled.
    result.catch(() => undefined);
    const flight: Flight<T> = { result, controller, waiting: 0 };
    flights.set(key, flight);
    return flight;
  }
  return {
    async run(key, work, signal) {
      signal.throwIfAborted();
      const flight = flights.get(key) ?? start(key, work);
      flight.waiting += 1;
      try {
        return await Promise.race([flight.result, aborted(signal, flight.result)]);
      } finally {
        flight.waiting -= 1;
        if (flight.waiting === 0) {
          if (flights.get(key) === flight) flights.delete(key);
          flight.controller.abort(new Error('nobody waits for it any more'));
        }
      }
    },
  };
}

/** Rejects when the signal aborts; the listener goes when the result is there. */
function aborted(signal: AbortSignal, result: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    const release = (): void => signal.removeEventListener('abort', onAbort);
    result.then(release, release);
  });
}
