import { defineConfig } from 'vitest/config';
import { projects } from './tools/testing/projects.ts';
import { SlowFirst } from './tools/testing/slow-first.ts';

export default defineConfig({
  test: {
    globals: false,
    environment: 'node',
    pool: 'forks',
    sequence: { sequencer: SlowFirst },
    passWithNoTests: false,
    allowOnly: false,
    watch: false,
    projects,
  },
});
