import type { TestProjectConfiguration } from 'vitest/config';

/** Folders whose tests only compute. Their files and those of tests/ share processes: no module keeps state, and modules are read once. */
const PURE = ['core', 'kinds', 'adapters', 'services'].map((folder) => `${folder}/**/*.test.ts`);
/** Our own tools and start scripts, which start processes. */
const OWN = ['bin', 'deploy', 'tools', 'workers'].map((folder) => `${folder}/**/*.test.ts`);
/** Files that measure a time which reliability.md promises: they come last, with a core each. */
const TIMED = ['tests/faults/f2-api-killed-at-each-failpoint.test.ts', 'tests/attacks/e6-hidden-and-missing-take-the-same-time.test.ts'];
const NEVER = ['**/node_modules/**', '**/.weir/**', '**/dist/**', 'tests/load/**'];

/** Real parts (PostgreSQL, API servers, git servers) start inside tests, and much of their time is waiting: long limits, more processes than cores. */
const parts = { globalSetup: ['tests/harness/global.ts'], testTimeout: 60_000, hookTimeout: 240_000, teardownTimeout: 30_000 };

/** Which files run how: `parts` and `timed` share what tests/harness starts. */
export const projects: TestProjectConfiguration[] = [
  {
    extends: true,
    test: { name: 'parts', ...parts, maxWorkers: 3, isolate: false, include: ['tests/**/*.test.ts'], exclude: [...NEVER, ...TIMED] },
  },
  { extends: true, test: { name: 'pure', maxWorkers: 3, isolate: false, testTimeout: 60_000, include: PURE, exclude: NEVER } },
  { extends: true, test: { name: 'own', maxWorkers: 3, testTimeout: 60_000, include: OWN, exclude: NEVER } },
  { extends: true, test: { name: 'timed', ...parts, maxWorkers: 2, sequence: { groupOrder: 1 }, include: TIMED, exclude: NEVER } },
];
