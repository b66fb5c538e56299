import { durationMs } from '#core/duration.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import { parseOciUrl } from '#core/oci-values.ts';
import type { RegistryRemote } from '#core/registry.ts';
import { parseRange } from '#core/semver/range.ts';
import { type Failure, fetchFailure } from './failure.ts';
import { openRemote } from './open-remote.ts';
import type { OCIRepositorySpec, OCIRepositoryStatus } from './schema.ts';
import { createTagPick, tagOf } from './target.ts';
import { unsupportedField } from './unsupported.ts';

export type OCIRepositoryObj = Obj<'definition', typeof OCIRepositorySpec, typeof OCIRepositoryStatus>;
export type OCIRepositoryNeed = 'lookup' | 'secrets' | 'registry' | 'sigstore' | 'patterns' | 'artifacts';

/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: 'unsupported' | 'urlInvalid'; message: string }>
  | (Readonly<{ at: 'failed' }> & Failure)
  /** This pass has tried to build; the status tells how it went. */
  | Readonly<{ at: 'built' }>
  | Readonly<{
      at: 'remote';
      /** What the tag stands for now; everything after this goes by it (threats J5). */
      digest: string;
      revision: string /** Whether the artifact of the status is still in storage. */;
      stored: boolean;
    }>;

const DEFAULT_TIMEOUT_MS = 60_000;

/** One look at the registry per pass: after the build nothing is asked again. */
export async function observe(ctx: Ctx<OCIRepositoryNeed>, obj: OCIRepositoryObj): Promise<Seen> {
  const { spec, status } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return { at: 'unsupported', message: unsupported };
  const address = parseOciUrl(spec.url);
  if (typeof address === 'string') return { at: 'urlInvalid', message: `URL validation failed: spec.url ${address}` };
  if (obj.done.includes('build')) return { at: 'built' };
  const opened = await openRemote(ctx, obj, address);
  if (opened.is === 'failed') return { at: 'failed', reason: 'AuthenticationFailed', message: opened.message };
  const target = await resolve(ctx, spec, opened.remote);
  if ('reason' in target) return { at: 'failed', ...target };
  const stored = status?.artifact !== undefined && (await ctx.artifacts.has(status.artifact.digest));
  return { at: 'remote', ...target, stored };
}

type Target = Readonly<{ digest: string; revision: string }>;

/** `ref.digest` wins over `ref.semver` over `ref.tag`; an empty text counts as absent. A digest is asked for when it is pulled only. */
async function resolve(ctx: Ctx<OCIRepositoryNeed>, spec: OCIRepositorySpec, remote: RegistryRemote): Promise<Target | Failure> {
  const { digest = '', semver = '' } = spec.ref ?? {};
  if (digest !== '') return { digest, revision: digest };
  const tag = semver !== '' ? await tagBySemver(ctx, spec, semver, remote) : tagByName(spec);
  if (typeof tag !== 'string') return tag;
  try {
    const found = await ctx.registry.resolve(remote, tag, { timeoutMs: remoteTimeoutMs(spec) }, ctx.signal);
    return { digest: found, revision: `${tag}@${found}` };
  } catch (error) {
    return fetchFailure(error, 'OCIArtifactPullFailed', 'failed to determine artifact digest');
  }
}

function tagByName(spec: OCIRepositorySpec): string | Failure {
  const text = spec.ref?.tag ?? '';
  const tag = tagOf(text === '' ? 'latest' : text);
  return tag ?? { reason: 'OCIArtifactPullFailed', message: 'failed to determine artifact digest: spec.ref.tag is no tag' };
}

async function tagBySemver(
  ctx: Ctx<OCIRepositoryNeed>,
  spec: OCIRepositorySpec,
  semver: string,
  remote: RegistryRemote,
): Promise<string | Failure> {
  const what = `failed to determine the artifact tag for '${spec.url}'`;
  const failed = (message: string): Failure => ({ reason: 'ReadOperationFailed', message: `${what}: ${message}` });
  const range = parseRange(semver);
  if (range === null) return failed(`semver '${semver.slice(0, 100)}' parse error: improper constraint`);
  const filter = ctx.patterns.compile(spec.ref?.semverFilter ?? '');
  if (filter.is === 'invalid') return failed(`spec.ref.semverFilter is no regular expression: ${filter.message}`);
  const pick = createTagPick(range, filter.isIn);
  try {
    await ctx.registry.tags(remote, pick.offer, { timeoutMs: remoteTimeoutMs(spec) }, ctx.signal);
  } catch (error) {
    return fetchFailure(error, 'ReadOperationFailed', what);
  }
  return pick.best() ?? failed(`no match found for semver: ${semver.slice(0, 100)}`);
}

export function remoteTimeoutMs(spec: OCIRepositorySpec): number {
  return durationMs(spec.timeout, DEFAULT_TIMEOUT_MS);
}
