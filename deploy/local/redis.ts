import { randomBytes } from 'node:crypto';
import { chown, mkdir, realpath, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Children } from '#deploy/local/children.ts';
import { freePort } from '#deploy/local/ports.ts';
import { type ProcessSpec, type RunningProcess, startProcess } from '#deploy/local/process.ts';
import type { PreparedCommand } from '#deploy/local/tool-paths.ts';
import { asUser, giveTo, unprivilegedUser } from '#deploy/local/unprivileged.ts';

export type RedisServer = Readonly<{
  host: string;
  port: number;
  /** Connection URL, password included: never log it. */
  url: string;
  logFile: string;
  pid(): number | null;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** Stopping twice is harmless. */
  stop(): Promise<void>;
  /** SIGKILL: the crash of a fault test. */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const host = '127.0.0.1';
const readyTimeoutMs = 20_000;
const pingTimeoutMs = 1_000;

/**
 * A real Redis or Valkey on a free port of 127.0.0.1, with a password, without persistence and without eviction, as a user without rights.
 * Throws ProcessError with the end of its log when it does not come up.
 */
export async function startRedis(children: Children, options: Readonly<{ dir: string; program: PreparedCommand }>): Promise<RedisServer> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const port = await freePort();
  const password = randomBytes(24).toString('hex');
  const logFile = join(dir, 'redis.log');
  const spec = await redisSpec(dir, logFile, options.program, settings(dir, port, password));
  let running: RunningProcess | null = null;
  const start = async (): Promise<void> => {
    if (running?.isRunning() === true) return;
    running = await startProcess(children, { ...spec, ready: () => answersPing(port, password), readyTimeoutMs });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await running?.stop(signal);
    running = null;
  };
  await start();
  return Object.freeze({
    host,
    port,
    url: `redis://:${password}@${host}:${port}/0`,
    logFile,
    pid: () => running?.pid ?? null,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  });
}

function settings(dir: string, port: number, password: string): Readonly<Record<string, string>> {
  return {
    bind: host,
    port: String(port),
    requirepass: password,
    dir: `"${dir}"`,
    save: '""',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
    'tcp-keepalive': '60',
  };
}

/** The password goes through a file of mode 0600, never through the argument list. */
async function redisSpec(
  dir: string,
  logFile: string,
  program: PreparedCommand,
  lines: Readonly<Record<string, string>>,
): Promise<ProcessSpec> {
  const [command, ...args] = program.command;
  if (command === undefined) throw new Error('the Redis command is empty');
  const user = await unprivilegedUser([dir, command]);
  await giveTo(user, dir);
  const file = join(dir, 'redis.conf');
  const text = Object.entries(lines).map(([name, value]) => `${name} ${value}\n`);
  await writeFile(file, text.join(''), { mode: 0o600 });
  if (user.mode === 'nobody') await chown(file, user.uid, user.gid);
  return asUser(user, { name: 'Redis', command, args: [...args, file], env: program.env, cwd: dir, logFile });
}

function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = '';
    const finish = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    socket.setTimeout(pingTimeoutMs, () => finish(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (answer.length > 1_000 || answer.includes('+PONG')) finish(answer.startsWith('+OK'));
    });
    // Nobody listens yet, or another program got the port: not ready; the time limit of the start tells in the end.
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}
