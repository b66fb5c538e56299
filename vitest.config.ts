import { defineConfig } from 'vitest/config';
import { SlowFirst } from './tools/testing/slow-first.ts';

/** Real parts (PostgreSQL, API servers, git servers) start inside tests: long limits, few processes. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.weir/**', '**/dist/**', 'tests/load/**'],
    globals: false,
    environment: 'node',
    globalSetup: ['tests/harness/global.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    testTimeout: 60_000,
    hookTimeout: 240_000,
    teardownTimeout: 30_000,
    passWithNoTests: false,
    allowOnly: false,
    watch: false,
  },
});
