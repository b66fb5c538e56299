import { readdirSync, readFileSync } from 'node:fs';

/** What every process below one showed of itself to everybody on the machine: command line, and environment for its own user. */
export type ProcessWatch = Readonly<{ commands(): ReadonlySet<string>; environments(): ReadonlySet<string>; stop(): void }>;

const EVERY_MS = 25;

/** Looks at /proc again and again; a process that lives less than one look may be missed. The root itself shows its command line only: its environment is how it is configured. */
export function watchProcesses(rootPid: number): ProcessWatch {
  const commands = new Set<string>();
  const environments = new Set<string>();
  const look = (): void => {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const status = read(`/proc/${pid}/stat`);
      const parent = /^\d+ \(.*\) \S (\d+)/s.exec(status)?.[1];
      if (parent !== undefined) parents.set(pid, Number(parent));
    }
    const own = read(`/proc/${rootPid}/cmdline`);
    for (const pid of parents.keys()) {
      if (!isBelow(parents, pid, rootPid)) continue;
      // A child that is forked and has not become its program yet still shows its parent's, so the command line is read first: once it is the program's, so is the environment.
      const command = read(`/proc/${pid}/cmdline`);
      const environment = read(`/proc/${pid}/environ`);
      commands.add(command.replaceAll('\0', ' '));
      if (pid !== rootPid && command !== own) environments.add(`${command}\n${environment}`.replaceAll('\0', '\n'));
    }
  };
  const timer = setInterval(look, EVERY_MS);
  look();
  return Object.freeze({ commands: () => commands, environments: () => environments, stop: () => clearInterval(timer) });
}

function isBelow(parents: ReadonlyMap<number, number>, pid: number, root: number): boolean {
  for (let current: number | undefined = pid, steps = 0; current !== undefined && steps < 64; current = parents.get(current), steps += 1)
    if (current === root) return true;
  return false;
}

/** A process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
