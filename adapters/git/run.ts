import { simpleGit } from 'simple-git';
import { AppError } from '#core/errors.ts';
import type { GitCommand } from './arguments.ts';
import type { Launcher } from './launcher.ts';
import { failureOf } from './messages.ts';

export type RunInput = Readonly<{
  command: GitCommand;
  launcher: Launcher;
  environment: Readonly<Record<string, string>>;
  directory: string;
  /** What is left of the caller's time. */
  timeoutMs: number;
  /** The caller's whole time, for the message. */
  givenMs: number;
  maxOutputBytes: number;
  /** Texts that no error may show. */
  secrets: readonly string[];
  signal: AbortSignal;
}>;

export type RunResult = Readonly<{
  exitCode: number;
  output: string;
  /** What a command with an expected exit code said besides. Never shown as it is. */
  errorText: string;
}>;

const MAX_ERROR_BYTES = 65_536;

/** simple-git refuses an environment like ours until its guards are off; our grammar and argument lists do their work (spec/libraries.md 7). */
const GUARDS_OFF = Object.freeze({
  allowUnsafeConfigPaths: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeHooksPath: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeGitProxy: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeAskPass: true,
});

/**
 * Runs one git command and answers its exit code and output when the code is 0 or one that the command expects.
 * Throws AppError gitFailed or gitAuthFailed with the remote's own words, or the reason of `signal` when the caller gave up.
 * Ends the whole process tree on abort, time limit and too much output.
 */
export async function runGit(input: RunInput): Promise<RunResult> {
  const { command, launcher, signal, timeoutMs, maxOutputBytes } = input;
  signal.throwIfAborted();
  const timeLimit = AbortSignal.timeout(timeoutMs);
  const tooMuch = new AbortController();
  const ended = { ran: false, exitCode: 0, errorText: '' };
  const git = simpleGit({
    baseDir: input.directory,
    binary: launcher.binary.length === 1 ? [launcher.binary[0]] : [launcher.binary[0], launcher.binary[1]],
    abort: AbortSignal.any([signal, timeLimit, tooMuch.signal]),
    allowEnvironment: Object.keys(input.environment),
    unsafe: GUARDS_OFF,
    // By default a failed git with an empty error text resolves with ''.
    errors(error, result) {
      ended.ran = true;
      ended.exitCode = result.exitCode;
      ended.errorText = Buffer.concat(result.stdErr).subarray(0, MAX_ERROR_BYTES).toString('utf8');
      if (result.exitCode === 0 || command.expected.includes(result.exitCode)) return undefined;
      return error instanceof Error ? error : new Error('git failed');
    },
  });
  git.env(input.environment).outputHandler((_name, stdout, stderr) => {
    // simple-git waits 50 ms after a command that printed nothing, in case output is still to come; the end of both streams has said so already.
    setImmediate(() => stdout.emit('data', Buffer.alloc(0)));
    for (const [stream, limit] of [
      [stdout, maxOutputBytes],
      [stderr, MAX_ERROR_BYTES * 4],
    ] as const) {
      let seen = 0;
      stream.on('data', (chunk: Buffer) => {
        seen += chunk.byteLength;
        if (seen > limit) tooMuch.abort();
      });
    }
  });
  try {
    const output = await git.raw([...launcher.before, ...command.words]);
    return Object.freeze({ exitCode: ended.exitCode, output, errorText: ended.errorText });
  } catch (error) {
    signal.throwIfAborted();
    if (tooMuch.signal.aborted)
      throw new AppError('gitFailed', `the git server sent more than ${maxOutputBytes} bytes`, {}, { cause: error });
    if (timeLimit.aborted) throw new AppError('gitFailed', `git did not finish within ${input.givenMs} ms`, {}, { cause: error });
    if (!ended.ran) throw error;
    throw failureOf(ended.errorText, ended.exitCode, input.secrets, error);
  }
}
