/**
 * Named places where a test may kill, stop, delay or fail the process (reliability.md 2.3). Inert in a release: `noFailpoints`
 * is what production gets, and a start with WEIR_FAILPOINT set outside WEIR_TEST=1 and stores on this machine is refused.
 */
export type Failpoint =
  | 'a1'
  | 'a2'
  | 'a3'
  | 'a4'
  | 's1'
  | 's2'
  | 'r1'
  | 'r2'
  | 'r3'
  | 'r4'
  | 'r5'
  | 'r6'
  | 'r7'
  | 'r8'
  | 'r9'
  | 'r10'
  | 'r11'
  | 'r12'
  | 'i1'
  | 'i2'
  | 'i3'
  | 'i4'
  | 'i5';

export interface Failpoints {
  hit(point: Failpoint): Promise<void>;
}

export const noFailpoints: Failpoints = Object.freeze({ hit: async () => undefined });
