import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '#deploy/local/children.ts';

export type InstanceLock = Readonly<{ release(): Promise<void> }>;

/** Another plane runs on this state folder. */
export class AlreadyRunning extends Error {
  constructor(pid: number, stateDir: string, url: string) {
    super(
      `Weir is running already (process ${pid}${url === '' ? '' : `, ${url}`}) on ${stateDir}. Stop it first, or set WEIR_STATE_DIR to another folder.`,
    );
    this.name = 'AlreadyRunning';
  }
}

/**
 * At most one plane per state folder: a file with our process id. One that a dead process left is taken over. Throws AlreadyRunning.
 */
export async function lockInstance(stateDir: string): Promise<InstanceLock & Readonly<{ announce(url: string): Promise<void> }>> {
  const file = join(stateDir, 'weir.pid');
  const handle = (await tryCreate(file)) ?? (await takeOver(file, stateDir));
  await handle.write(`${process.pid}\n`);
  return Object.freeze({
    announce: async (url: string) => void (await handle.write(`${url}\n`)),
    release: async () => {
      await handle.close();
      await rm(file, { force: true });
    },
  });
}

async function tryCreate(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'wx', 0o600);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return null;
    throw error;
  }
}

async function takeOver(file: string, stateDir: string): Promise<FileHandle> {
  const [pid = '', url = ''] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (/^[0-9]+$/.test(pid) && (await isPlane(Number(pid)))) throw new AlreadyRunning(Number(pid), stateDir, url);
  await rm(file, { force: true });
  const handle = await tryCreate(file);
  if (handle === null) throw new AlreadyRunning(0, stateDir, '');
  return handle;
}

/** A process id may have been given to another program after a crash: only one that is a start of ours counts. */
async function isPlane(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  if (command !== null) return command.includes('deploy/start.ts');
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}
