/**
 * How git is started, as data: simple-git takes a binary of at most two words, and whatever stands before git in its arguments.
 * A launcher has to end the whole process tree when it is signalled, because git leaves `git-remote-https` behind (spec/libraries.md 7).
 */
export type Launcher = Readonly<{
  binary: readonly [string] | readonly [string, string] /** First arguments, for a launcher that expects the program's name there. */;
  before: readonly string[];
}>;

/** coreutils' `timeout`: puts git into a process group of its own, forwards signals to the group and ends it after `seconds` whatever happens. */
export function timeoutLauncher(seconds: number): Launcher {
  if (!Number.isSafeInteger(seconds) || seconds < 1) throw new Error('seconds is a positive whole number');
  return Object.freeze({ binary: Object.freeze(['timeout', String(seconds)] as const), before: Object.freeze(['git']) });
}
