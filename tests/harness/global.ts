import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openChildren } from '#deploy/local/children.ts';
import { serveParts } from '#tests/harness/parts-server.ts';

/** Once for a run of vitest: offers the shared parts, and at the end stops what was started and removes its folder. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runDir = await mkdtemp(join(tmpdir(), 'weir-run-'));
  // Servers that run as nobody must be able to pass it; what is in it is closed by its own modes.
  await chmod(runDir, 0o711);
  const children = openChildren();
  const parts = await serveParts(children, runDir);
  project.provide('partsSocket', parts.socketPath);
  return async () => {
    await parts.close();
    await endAll(children);
    await rm(runDir, { recursive: true, force: true, maxRetries: 5 });
  };
}

async function endAll(children: ReturnType<typeof openChildren>): Promise<void> {
  children.killAll();
  const deadline = AbortSignal.timeout(10_000);
  while (children.live().length > 0) {
    if (deadline.aborted)
      throw new Error(
        `still running: ${children
          .live()
          .map((child) => `${child.name} (${child.pid})`)
          .join(', ')}`,
      );
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  children.close();
}
