/**
 * A classic BPF program for bubblewrap's `--seccomp`: what a render tool never needs is refused, and above all every further process.
 * Threads are allowed (Go and Node need them); `clone3` answers "not there", so that libraries fall back to `clone`, whose flags can be seen.
 * Numbers: linux/audit.h, linux/seccomp.h and the system call tables of each architecture.
 */
type Table = Readonly<{ audit: number; clone: number; clone3: number; forks: readonly number[]; denied: readonly number[] }>;

/** Denied: ptrace, process_vm_readv/writev, keyring, bpf, perf, userfaultfd, io_uring, mount and its family, unshare, setns, chroot, pivot_root, modules, kexec, reboot, swap, acct, open_by_handle_at, personality, pidfd_getfd. */
const X64: Table = {
  audit: 0xc000003e,
  clone: 56,
  clone3: 435,
  forks: [57, 58],
  denied: [
    101, 310, 311, 248, 249, 250, 321, 298, 323, 425, 426, 427, 165, 166, 428, 429, 430, 431, 432, 433, 442, 272, 308, 161, 155, 175, 313,
    176, 246, 320, 169, 167, 168, 163, 304, 135, 438,
  ],
};
const ARM64: Table = {
  audit: 0xc00000b7,
  clone: 220,
  clone3: 435,
  forks: [],
  denied: [
    117, 270, 271, 217, 218, 219, 280, 241, 282, 425, 426, 427, 40, 39, 428, 429, 430, 431, 432, 433, 442, 97, 268, 51, 41, 105, 273, 106,
    104, 294, 142, 224, 225, 89, 265, 92, 438,
  ],
};
const TABLES: Readonly<Record<string, Table>> = Object.freeze({ x64: X64, arm64: ARM64 });

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_SET = 0x45;
const RETURN = 0x06;
const OFFSET_NUMBER = 0;
const OFFSET_AUDIT = 4;
const OFFSET_FIRST_ARGUMENT = 16;
const CLONE_THREAD = 0x10000;
const X32_BIT = 0x40000000;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const refuse = (errno: number): number => 0x00050000 | errno;
const EPERM = 1;
const EAGAIN = 11;
const ENOSYS = 38;

type Step = Readonly<{ code: number; yes?: number; no?: number; value: number }>;

/** The filter's bytes for a processor (`process.arch`), or null when its table is not known here. `children` lets processes start others; all else stays. Pure. */
export function seccompFilter(arch: string, children = false): Buffer | null {
  const table = TABLES[arch];
  if (table === undefined) return null;
  const steps: Step[] = [
    { code: LOAD, value: OFFSET_AUDIT },
    { code: JUMP_EQUAL, yes: 1, value: table.audit },
    { code: RETURN, value: KILL },
    { code: LOAD, value: OFFSET_NUMBER },
    { code: JUMP_AT_LEAST, no: 1, value: X32_BIT },
    { code: RETURN, value: KILL },
  ];
  if (!children) for (const number of table.forks) steps.push(...refuseCall(number, EAGAIN));
  for (const number of table.denied) steps.push(...refuseCall(number, EPERM));
  steps.push(...refuseCall(table.clone3, ENOSYS));
  if (!children) steps.push(...threadsOnly(table.clone));
  steps.push({ code: RETURN, value: ALLOW });
  return Buffer.concat(steps.map(encode));
}

function threadsOnly(clone: number): readonly Step[] {
  return [
    { code: JUMP_EQUAL, no: 3, value: clone },
    { code: LOAD, value: OFFSET_FIRST_ARGUMENT },
    { code: JUMP_SET, yes: 1, value: CLONE_THREAD },
    { code: RETURN, value: refuse(EAGAIN) },
    { code: RETURN, value: ALLOW },
  ];
}

function refuseCall(number: number, errno: number): readonly Step[] {
  return [
    { code: JUMP_EQUAL, no: 1, value: number },
    { code: RETURN, value: refuse(errno) },
  ];
}

/** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k; both processors are little-endian. */
function encode(step: Step): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(step.code, 0);
  bytes.writeUInt8(step.yes ?? 0, 2);
  bytes.writeUInt8(step.no ?? 0, 3);
  bytes.writeUInt32LE(step.value, 4);
  return bytes;
}
