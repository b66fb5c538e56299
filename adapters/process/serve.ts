import { ConfigError } from '#core/config.ts';

/** A part of the plane that runs in this process. */
export type Part = Readonly<{ /** One sentence for the person who started it. */ said: string; stop(): Promise<void> }>;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Opens a part, runs it until a signal asks us to end, stops it and ends the process: exit code 0, or 1 when it could not start or stop. A second signal ends at once.
 * A wrong configuration is said in sentences, anything else with its stack: that is what an operator reads first.
 */
export async function serve(open: () => Promise<Part>): Promise<never> {
  const asked = firstSignal();
  try {
    const part = await open();
    process.stdout.write(`${part.said}\n`);
    await asked;
    await part.stop();
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return process.exit(1);
  }
}

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        resolve();
        process.once(signal, () => process.exit(1));
      });
    }
  });
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
