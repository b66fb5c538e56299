import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEgress } from '#adapters/egress/egress.ts';
import { createGit, type GitOptions } from '#adapters/git/git.ts';
import { timeoutLauncher } from '#adapters/git/launcher.ts';
import type { GitWriterOptions } from '#adapters/git/write.ts';
import { createWriteQueues } from '#adapters/git/write-queue.ts';
import type { Git } from '#core/ports.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';

export type TenantGit = Readonly<{ git: Git; root: string; options: GitOptions; close(): Promise<void> }>;

export const signal: AbortSignal = new AbortController().signal;
export const limits = { timeoutMs: 30_000, maxBytes: 50_000_000 } as const;
export const TENANT_A = '11111111-1111-4111-8111-111111111111';
export const TENANT_B = '22222222-2222-4222-8222-222222222222';

/** Git of one tenant as a worker builds it, allowed to reach this machine. `root` given: shares the mirrors of another tenant. */
export async function openTenantGit(
  overrides: Partial<GitOptions> & Readonly<{ tenantId?: string; root?: string }> = {},
): Promise<TenantGit> {
  const { tenantId = TENANT_A, root = await mkdtemp(join(tmpdir(), 'weir-git-')), ...rest } = overrides;
  const options: GitOptions = {
    scope: scopeOfJob({ tenantId }, 'test'),
    mirrorsDir: join(root, 'mirrors'),
    workDir: join(root, 'work'),
    launcher: timeoutLauncher(120),
    path: process.env['PATH'] ?? '',
    allowHttp: false,
    egress: createEgress({ allowCidrs: ['127.0.0.0/8', '::1/128'] }),
    clock: systemClock,
    maxMirrorBytes: 500_000_000,
    lowSpeedSeconds: 5,
    ...rest,
  };
  return { git: createGit(options), root, options, close: () => rm(root, { recursive: true, force: true }) };
}

/** Of one process without a database: there is nobody to take turns with. */
export function writing({ options }: TenantGit): GitWriterOptions {
  return { ...options, turns: { take: (_name, _signal, work) => work() }, queues: createWriteQueues() };
}

export const NOBODY = { is: 'none' } as const;
