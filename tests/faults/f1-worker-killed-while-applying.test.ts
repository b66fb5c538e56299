import { planeKilledAt } from '#tests/harness/fault-kill.ts';

/** Fault 1, from the intent on: something was applied, deleted or written down. */
planeKilledAt(['r6', 'r7', 'r8', 'r9', 'r10', 'r11', 'r12']);
