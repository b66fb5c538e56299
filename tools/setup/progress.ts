const heartbeatMs = 15_000;

/** Says on stderr what is going on and for how long, so that a build of minutes does not look like a hang. */
export type Progress = Readonly<{
  say(text: string): void;
  /** Runs one step: a line at its start, one every 15 s, one at its end with the elapsed time. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
}>;

export function makeProgress(write: (line: string) => void): Progress {
  const startedMs = performance.now();
  function say(text: string): void {
    write(`[${seconds(performance.now() - startedMs).padStart(6)}] ${text}\n`);
  }
  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const stepMs = performance.now();
    say(name);
    const timer = setInterval(() => say(`${name} … ${seconds(performance.now() - stepMs)}`), heartbeatMs);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      say(`${name}: ${seconds(performance.now() - stepMs)}`);
    }
  }
  return { say, step };
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
