import { durationMs } from '#core/duration.ts';
import { AppError } from '#core/errors.ts';
import { type Login, loginFrom } from '#core/git-login.ts';
import { parseGitUrl } from '#core/git-values.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { GitRef } from '#core/ports.ts';
import type { GitRepositorySpec, GitRepositoryStatus } from './schema.ts';
import { unsupportedField } from './unsupported.ts';

export type GitRepositoryObj = Obj<'definition', typeof GitRepositorySpec, typeof GitRepositoryStatus>;
export type GitRepositoryNeed = 'lookup' | 'secrets' | 'git' | 'artifacts';

/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: 'unsupported'; message: string }>
  | Readonly<{ at: 'urlInvalid'; message: string }>
  | Readonly<{ at: 'failed'; reason: FetchReason; message: string }>
  /** This pass has tried to build; the status tells how it went. */
  | Readonly<{ at: 'built' }>
  | Readonly<{
      at: 'remote';
      advertised: readonly GitRef[] /** Whether the artifact of the status is still in storage. */;
      stored: boolean;
    }>;

export type FetchReason = 'GitOperationFailed' | 'AuthenticationFailed' | 'InvalidProviderConfiguration' | 'AccessDenied';

const DEFAULT_TIMEOUT_MS = 60_000;

/** One ls-remote per pass: after the build nothing is asked again. */
export async function observe(ctx: Ctx<GitRepositoryNeed>, obj: GitRepositoryObj): Promise<Seen> {
  const { spec, status } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return { at: 'unsupported', message: unsupported };
  const url = parseGitUrl(spec.url);
  if (typeof url === 'string') return { at: 'urlInvalid', message: `failed to parse url: it ${url}` };
  if (obj.done.includes('build')) return { at: 'built' };
  const login = await logIn(ctx, obj);
  if (login.is === 'unsupported') return { at: 'unsupported', message: login.message };
  if (login.is === 'failed') return { at: 'failed', reason: login.reason, message: login.message };
  const stored = status?.artifact !== undefined && (await ctx.artifacts.has(status.artifact.digest));
  try {
    const advertised = await ctx.git.look(login.remote, { timeoutMs: remoteTimeoutMs(spec) }, ctx.signal);
    return { at: 'remote', advertised, stored };
  } catch (error) {
    const failure = fetchFailure(error);
    if (failure === null) throw error;
    return { at: 'failed', ...failure };
  }
}

/** The remote with the credential of `spec.secretRef`, read anew each time so that it is held nowhere. */
export async function logIn(ctx: Pick<Ctx<GitRepositoryNeed>, 'secrets'>, { definition, spec }: GitRepositoryObj): Promise<Login> {
  if (spec.secretRef === undefined) return loginFrom(spec, null);
  const shown = `${definition.namespace}/${spec.secretRef.name}`;
  const values = await ctx.secrets.read(definition.namespace, spec.secretRef.name);
  if (values === null)
    return {
      is: 'failed',
      reason: 'AuthenticationFailed',
      message: `failed to get secret '${shown}': it does not exist; create it, or correct spec.secretRef`,
    };
  return loginFrom(spec, { shown, values });
}

export function remoteTimeoutMs(spec: GitRepositorySpec): number {
  return durationMs(spec.timeout, DEFAULT_TIMEOUT_MS);
}

/** How a failure of the git port is shown; null for what is not the remote's or the credential's fault. */
export function fetchFailure(error: unknown): Readonly<{ reason: FetchReason; message: string }> | null {
  if (!(error instanceof AppError)) return null;
  switch (error.code) {
    case 'gitFailed':
      return { reason: 'GitOperationFailed', message: `failed to checkout and determine revision: ${error.message}` };
    case 'gitAuthFailed':
      return { reason: 'AuthenticationFailed', message: `failed to checkout and determine revision: ${error.message}` };
    case 'egressDenied':
      return { reason: 'AccessDenied', message: `spec.url: ${error.message}` };
    default:
      return null;
  }
}
