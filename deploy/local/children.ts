/** One process we started: the leader of its own process group, and the signal that ends it when we have no time left. */
export type Child = Readonly<{ name: string; pid: number; lastSignal: NodeJS.Signals }>;

/** Every process that one program started and that may still live. */
export type Children = Readonly<{
  add(child: Child): void;
  remove(pid: number): void;
  /** Children whose process still exists, oldest first. */
  live(): readonly Child[];
  /** Sends each live child its last signal; does not wait. */
  killAll(): void;
  /** Takes the exit handler off again. Children that still live stay recorded. */
  close(): void;
}>;

/**
 * A fresh record of children. When this process exits, all of them get their last signal, so nothing is left behind by `process.exit`
 * or an uncaught error. A process that is killed cannot do that: there the kernel does it, see `startProcess`.
 */
export function openChildren(): Children {
  const children = new Map<number, Child>();
  const live = (): readonly Child[] => [...children.values()].filter((child) => groupExists(child.pid));
  const killAll = (): void => {
    for (const child of live()) signalGroup(child.pid, child.lastSignal);
  };
  process.on('exit', killAll);
  return Object.freeze({
    add: (child: Child) => void children.set(child.pid, child),
    remove: (pid: number) => void children.delete(pid),
    live,
    killAll,
    close: () => void process.off('exit', killAll),
  });
}

/** Sends a signal to a whole process group. False when nothing of it is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/** Whether a process group still has a member that is not a zombie of ours. */
export function groupExists(pid: number): boolean {
  return signalGroup(pid, 0);
}

/** Whether an error carries the given errno code. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
