import { describe, expect, test } from 'vitest';
import { seccompFilter } from './seccomp.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const refused = (errno: number): number => 0x00050000 | errno;

/** Runs the filter as the kernel does: the loads, jumps and returns that it uses. */
function verdict(filter: Buffer, call: Readonly<{ audit: number; number: number; firstArgument?: number }>): number {
  let loaded = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, yes, no, value] = [
      filter.readUInt16LE(at),
      filter.readUInt8(at + 2),
      filter.readUInt8(at + 3),
      filter.readUInt32LE(at + 4),
    ];
    if (code === 0x06) return value;
    if (code === 0x20) loaded = value === 0 ? call.number : value === 4 ? call.audit : (call.firstArgument ?? 0);
    else {
      const holds = code === 0x15 ? loaded === value : code === 0x35 ? loaded >= value : (loaded & value) !== 0;
      at += 8 * (holds ? yes : no);
    }
  }
  throw new Error('the filter has no end');
}

describe.each([
  ['x64', 0xc000003e, { read: 0, clone: 56, clone3: 435, ptrace: 101, unshare: 272, mount: 165 }],
  ['arm64', 0xc00000b7, { read: 63, clone: 220, clone3: 435, ptrace: 117, unshare: 97, mount: 40 }],
] as const)('%s', (arch, audit, calls) => {
  const filter = seccompFilter(arch) ?? Buffer.alloc(0);
  test('ordinary calls and threads pass', () => {
    expect(verdict(filter, { audit, number: calls.read })).toBe(ALLOW);
    expect(verdict(filter, { audit, number: calls.clone, firstArgument: 0x50f00 | 0x10000 })).toBe(ALLOW);
  });
  test('further processes, namespaces and tracing are refused; clone3 is not there', () => {
    expect(verdict(filter, { audit, number: calls.clone, firstArgument: 17 })).toBe(refused(11));
    expect(verdict(filter, { audit, number: calls.clone3 })).toBe(refused(38));
    for (const number of [calls.ptrace, calls.unshare, calls.mount]) expect(verdict(filter, { audit, number })).toBe(refused(1));
  });
  test('with children, processes may start others, and all else stays refused', () => {
    const open = seccompFilter(arch, true) ?? Buffer.alloc(0);
    expect(verdict(open, { audit, number: calls.clone, firstArgument: 17 })).toBe(ALLOW);
    for (const number of [calls.ptrace, calls.unshare, calls.mount]) expect(verdict(open, { audit, number })).toBe(refused(1));
    expect(verdict(open, { audit: 0x40000003, number: 1 })).toBe(KILL);
  });
  test('another architecture and the x32 numbers end the program', () => {
    expect(verdict(filter, { audit: 0x40000003, number: 1 })).toBe(KILL);
    expect(verdict(filter, { audit, number: 0x40000000 })).toBe(KILL);
  });
});

test('an unknown processor has no filter', () => {
  expect(seccompFilter('riscv64')).toBe(null);
});
