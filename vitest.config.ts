import { defineConfig } from 'vitest/config';

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
    testTimeout: 60_000,
    hookTimeout: 240_000,
    teardownTimeout: 30_000,
    passWithNoTests: false,
    allowOnly: false,
    watch: false,
  },
});
