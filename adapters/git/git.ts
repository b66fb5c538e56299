import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors.ts';
import type { GitUrl } from '#core/git-values.ts';
import type { Git, GitCredential, GitRemote } from '#core/ports.ts';
import { type TenantScope, tenantKey } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';
import { archiveCommand, checkedUrl, type GitCommand, lookCommand } from './arguments.ts';
import { type Egress, gitEnvironment } from './environment.ts';
import type { Launcher } from './launcher.ts';
import { withLock } from './lock.ts';
import { createLooks, type Looks } from './looks.ts';
import { redact, secretTexts } from './messages.ts';
import { ensureMirror, fetchTips, isReachable, mirrorPath, type RunInMirror, tidyMirror, tipsFor, withinBytes } from './mirror.ts';
import { parseRemoteRefs } from './remote-refs.ts';
import { type RunResult, runGit } from './run.ts';

export type GitOptions = Readonly<{
  scope: TenantScope;
  /** Mirrors of all tenants; absolute. */
  mirrorsDir: string;
  /** Temporary files; each tenant gets a folder of its own below; absolute. */
  workDir: string;
  launcher: Launcher;
  /** Folders in which the launcher and git are found, as in PATH. */
  path: string;
  allowHttp: boolean;
  egress: Egress;
  clock: Clock;
  maxMirrorBytes: number;
  /** A server that sends next to nothing for this long is given up. */
  lowSpeedSeconds: number;
}>;

const MAX_LIST_BYTES = 33_554_432;
const MAX_OUTPUT_BYTES = 1_048_576;
const SIZE_LOOK_MS = 20;

/** Git for one tenant. Touches the shared mirrors and that tenant's own temporary folder; safe to use concurrently. `looks` are those of the process. */
export function createGit(options: GitOptions, looks: Looks = createLooks()): Git {
  return Object.freeze({
    async look(remote, { timeoutMs }, signal) {
      return looks.look(options.scope, remote, signal, (shared) =>
        inSession(options, remote, timeoutMs, shared, async (session) => {
          const { output } = await session.run(lookCommand(session.url), {
            remote: true,
            signal: session.signal,
            maxOutputBytes: MAX_LIST_BYTES,
          });
          return parseRemoteRefs(output);
        }),
      );
    },
    async snapshot(remote, want, { timeoutMs, maxBytes }, signal) {
      return inSession(options, remote, timeoutMs, signal, async (session) => {
        await bringCommit(options, session, want);
        return archive(options, session, want.commit, maxBytes);
      });
    },
  } satisfies Git);
}

export type Session = Readonly<{
  url: GitUrl;
  mirror: string;
  /** Of this session alone; gone at its end. */
  directory: string;
  /** Texts that no message may show. */
  secrets: readonly string[];
  signal: AbortSignal;
  run(
    command: GitCommand,
    run: Readonly<{
      remote: boolean;
      signal: AbortSignal;
      maxOutputBytes?: number;
      mirror?: boolean;
      /** Variables beside the fixed ones. */
      env?: Readonly<Record<string, string>>;
    }>,
  ): Promise<RunResult>;
}>;

/** Checks the URL, prepares what a remote command needs in a folder that only this call uses, and takes it away afterwards. */
export async function inSession<T>(
  options: GitOptions,
  remote: GitRemote,
  timeoutMs: number,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const url = checkedUrl(remote.url, options.allowHttp);
  const directory = await temporary(options, 'git-');
  const startedMs = performance.now();
  try {
    const home = join(directory, 'home');
    await mkdir(home, { mode: 0o500 });
    const caFile = remote.caPem === null ? null : join(directory, 'ca.pem');
    if (caFile !== null && remote.caPem !== null) await writeFile(caFile, remote.caPem, { mode: 0o600 });
    const mirror = mirrorPath(options.mirrorsDir, url);
    const secrets = secretsOf(remote.credential);
    const session: Session = {
      url,
      mirror,
      directory,
      secrets,
      signal,
      async run(command, { remote: withRemote, signal: runSignal, maxOutputBytes = MAX_OUTPUT_BYTES, mirror: inMirror = true, env = {} }) {
        const addresses = withRemote ? await options.egress.check(url.host, runSignal) : [];
        const environment = gitEnvironment({
          path: options.path,
          home,
          gitDir: inMirror && command.words[0] !== 'ls-remote' ? mirror : null,
          allowHttp: options.allowHttp,
          lowSpeedSeconds: options.lowSpeedSeconds,
          remote: withRemote ? { url, credential: remote.credential, caFile, addresses } : null,
        });
        const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedMs)));
        return runGit({
          command,
          launcher: options.launcher,
          environment: { ...environment, ...env },
          directory,
          timeoutMs: leftMs,
          givenMs: timeoutMs,
          maxOutputBytes,
          secrets,
          signal: runSignal,
        });
      },
    };
    return await work(session);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Makes sure the mirror has the commit and the tenant may have it; no network when it is there already. */
export async function bringCommit(options: GitOptions, session: Session, want: Parameters<Git['snapshot']>[1]): Promise<void> {
  const { mirror, url, signal } = session;
  const tips = tipsFor(want.advertised, want.within);
  if (tips.length === 0)
    throw new AppError(
      'gitFailed',
      want.within === null ? 'the repository advertises no reference' : `the repository has no reference ${redact(want.within, [])}`,
    );
  const run: RunInMirror = session.run;
  await mkdir(options.mirrorsDir, { recursive: true, mode: 0o700 });
  if ((await isMirror(mirror)) && (await isReachable(want.commit, tips, run, signal))) return;
  await withLock(`${mirror}.lock`, options.clock, signal, async () => {
    await ensureMirror(mirror, (command) => session.run(command, { remote: false, signal, mirror: false }));
    if (await isReachable(want.commit, tips, run, signal)) return;
    await withinBytes(mirror, options.maxMirrorBytes, signal, (limited) => fetchTips(url, want.commit, tips, run, limited));
    await tidyMirror(mirror, run, signal);
  });
  if (await isReachable(want.commit, tips, run, signal)) return;
  const where = want.within === null ? 'any branch or tag that this credential sees' : redact(want.within, []);
  throw new AppError('gitFailed', `commit ${want.commit} is not on ${where}`);
}

/** Writes the tree of a commit into a tar file of its own folder; ends git when the file outgrows the limit. */
async function archive(
  options: GitOptions,
  session: Session,
  commit: string,
  maxBytes: number,
): Promise<Awaited<ReturnType<Git['snapshot']>>> {
  const directory = await temporary(options, 'tree-');
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  const tarPath = join(directory, 'tree.tar');
  const over = new AbortController();
  const tooLarge = new AppError('artifactTooLarge', `the tree is larger than ${maxBytes} bytes`);
  const timer = setInterval(() => {
    void sizeOf(tarPath).then((bytes) => (bytes > maxBytes ? over.abort(tooLarge) : undefined));
  }, SIZE_LOOK_MS);
  try {
    await session.run(archiveCommand(commit, tarPath), { remote: false, signal: AbortSignal.any([session.signal, over.signal]) });
    if ((await sizeOf(tarPath)) > maxBytes) throw tooLarge;
    return Object.freeze({ tarPath, dispose });
  } catch (error) {
    await dispose();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

async function temporary({ workDir, scope }: GitOptions, prefix: string): Promise<string> {
  const parent = join(workDir, tenantKey(scope));
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return mkdtemp(join(parent, prefix));
}

function secretsOf(credential: GitCredential): readonly string[] {
  switch (credential.is) {
    case 'none':
      return [];
    case 'basic':
      return secretTexts([credential.password, `${credential.username}:${credential.password}`]);
    case 'bearer':
      return secretTexts([credential.token]);
  }
}

function isMirror(directory: string): Promise<boolean> {
  return stat(join(directory, 'HEAD')).then(
    () => true,
    () => false,
  );
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}
