/** How a program that came with its own libraries is started: the command and what its environment must hold. */
export type Launch = Readonly<{ command: readonly string[]; env: Readonly<Record<string, string>> }>;

export type StrongMode = 'bwrap' | 'unshare';
export type SandboxMode = StrongMode | 'weak';

/** A file or folder of this machine, and where the program sees it. In weak mode `to` lies below the working folder of the run. */
export type Mount = Readonly<{ from: string; to: string }>;

/** All are required: no program starts without each of them. */
export type SandboxLimits = Readonly<{
  timeoutMs: number;
  /** Bytes of stdout; more stops the program. */
  maxOutputBytes: number;
  /** Writable memory (RLIMIT_DATA), and by a margin for what runtimes only reserve, address space. */
  maxMemoryBytes: number;
  maxCpuSeconds: number;
  /** Processes and threads together, in mode unshare. In mode bwrap a system call filter forbids every further process, whatever the number. */
  maxProcesses: number;
  /** One file that the program writes. */
  maxFileBytes: number;
}>;

export type SandboxRun = Readonly<{
  /** A program on this machine. It must be static, or `readOnly` must bring its libraries. */
  command: string;
  /** Names of files are relative to `cwd`: only then do they hold in every mode. */
  args: readonly string[];
  cwd: string;
  readOnly: readonly Mount[];
  stdin?: Uint8Array;
  /** True for a program of ours that starts a fixed one of ours (a release: forwarder and helm). Left out: no further process in mode bwrap. */
  children?: boolean;
  /** The whole environment of the program. */
  env: Readonly<Record<string, string>>;
  limits: SandboxLimits;
}>;

/** `stoppedBy` says which limit ended the program; null when it ended by itself (or by a limit of the kernel: see `exitCode`, 128 + signal). */
export type SandboxResult = Readonly<{ exitCode: number; stoppedBy: 'timeout' | 'output' | null; stdout: Buffer; stderr: string }>;

export type LauncherInput = Readonly<{ readOnly: readonly string[]; writable: readonly string[] }>;

export interface Sandbox {
  readonly mode: SandboxMode;
  /** One sentence for `/readyz?verbose` and the log. */
  describe(): string;
  /** Runs one program and returns when its whole process tree is gone. Throws the signal's reason after an abort. Holds nothing between runs. */
  run(input: SandboxRun, signal: AbortSignal): Promise<SandboxResult>;
  /** Argument prefix for a program that needs the network (git): own process tree, and only the named folders and the system's programs in sight. Empty in weak mode. */
  launcher(input: LauncherInput): Launch;
}
