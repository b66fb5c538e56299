import { planeKilledAt } from '#tests/harness/fault-kill.ts';

/** Fault 1, up to the moment that the intent inventory is written: nothing was applied yet. */
planeKilledAt(['s1', 's2', 'r1', 'r2', 'r3', 'r4', 'r5']);
