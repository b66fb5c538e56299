import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

type Found = Readonly<{ pid: number; parent: number; state: string; started: string }>;

/** A process among all that this machine ever runs: ids are given out again, start times are not. */
export type Identity = Readonly<{ pid: number; started: string }>;

/** `pid` and everything below it, as the kernel lists it now. */
export async function familyOf(pid: number): Promise<readonly Identity[]> {
  const all = await listProcesses();
  const family = new Set([pid]);
  for (let before = 0; before !== family.size; ) {
    before = family.size;
    for (const one of all) if (family.has(one.parent)) family.add(one.pid);
  }
  return all.filter((one) => family.has(one.pid)).map(({ pid: id, started }) => ({ pid: id, started }));
}

/** Which of them still run after at most `timeoutMs`. A zombie has ended: its parent only has not looked yet. */
export async function stillRunning(family: readonly Identity[], timeoutMs: number): Promise<readonly Identity[]> {
  const deadline = AbortSignal.timeout(timeoutMs);
  for (;;) {
    const all = await listProcesses();
    const left = family.filter((one) => all.some((found) => found.pid === one.pid && found.started === one.started && found.state !== 'Z'));
    if (left.length === 0 || deadline.aborted) return left;
    await sleep(50);
  }
}

async function listProcesses(): Promise<readonly Found[]> {
  const ids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  return (await Promise.all(ids.map(readProcess))).filter((one) => one !== null);
}

/** `/proc/<pid>/stat` (proc_pid_stat(5)); the name in brackets may hold blanks. Null when it ended meanwhile. */
async function readProcess(id: string): Promise<Found | null> {
  const text = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(id), state: fields[0] ?? '', parent: Number(fields[1]), started: fields[19] ?? '' };
}
