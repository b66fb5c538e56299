import { conditionsFor, progressing, readConditions } from '#core/conditions.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { parseOciUrl } from '#core/oci-values.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import type { RegistryRemote } from '#core/registry.ts';
import { rfc3339 } from '#core/time.ts';
import type { Act } from './decide.ts';
import type { Failure } from './failure.ts';
import type { OCIRepositoryNeed, OCIRepositoryObj } from './observe.ts';
import { openRemote } from './open-remote.ts';
import { type Pulled, pull } from './pull.ts';
import type { OCIRepositoryStatus } from './schema.ts';
import { verify } from './verify.ts';

const NO_FAILURE: readonly ExtraCondition[] = Object.freeze([
  { type: 'FetchFailed', status: null },
  { type: 'StorageOperationFailed', status: null },
]);

/**
 * Verifies the digest where that is asked for, then stores a layer of it as an artifact; nothing is stored that was not verified. Idempotent: the same digest and settings give
 * the same artifact. A failure is answered as a condition, which the next look turns into the outcome; the last artifact stays.
 */
export async function act(ctx: Ctx<OCIRepositoryNeed>, obj: OCIRepositoryObj, action: Act): Promise<Shown<typeof OCIRepositoryStatus>> {
  const extras: ExtraCondition[] = [...NO_FAILURE, ...outdated(obj, action)];
  const show = (status: Partial<OCIRepositoryStatus> = {}) => ({ status: { ...status, conditions: withConditions(ctx, obj, extras) } });
  const opened = await openAgain(ctx, obj);
  if ('reason' in opened) {
    extras.push({ type: 'FetchFailed', status: 'True', ...opened });
    return show();
  }
  if (action.verify) {
    const verdict = await verify(ctx, obj, opened, action.digest);
    extras.push(verified(verdict, action.revision));
    if (verdict.is === 'refused') return show();
  }
  if (!action.pull) return show();
  const pulled = await pull(ctx, obj.spec, opened, action.digest);
  if (pulled.is === 'pulled') return show(builtStatus(ctx, obj, action, pulled));
  extras.push({ type: pulled.condition, status: 'True', reason: pulled.reason, message: pulled.message });
  return show();
}

/** What a Secret says may have changed since the look. */
async function openAgain(ctx: Ctx<OCIRepositoryNeed>, obj: OCIRepositoryObj): Promise<RegistryRemote | Failure> {
  const address = parseOciUrl(obj.spec.url);
  if (typeof address === 'string') throw new AppError('badRequest', `spec.url ${address}`);
  const opened = await openRemote(ctx, obj, address);
  return opened.is === 'remote' ? opened.remote : { reason: 'AuthenticationFailed', message: opened.message };
}

function verified(verdict: Awaited<ReturnType<typeof verify>>, revision: string): ExtraCondition {
  if (verdict.is === 'refused')
    return {
      type: 'SourceVerified',
      status: 'False',
      reason: 'VerificationError',
      message: `failed to verify the signature using provider 'cosign': ${verdict.message}`,
    };
  const message = `verified signature of revision ${revision} by ${verdict.by}`;
  return { type: 'SourceVerified', status: 'True', reason: 'Succeeded', message };
}

function builtStatus(
  ctx: Ctx<OCIRepositoryNeed>,
  { definition, spec, status }: OCIRepositoryObj,
  { digest: manifest, revision }: Act,
  { artifact: { digest, sizeBytes }, annotations }: Pulled,
): Partial<OCIRepositoryStatus> {
  const folder = `ocirepository/${definition.namespace}/${definition.name}`;
  const path = `${folder}/${manifest.slice(manifest.indexOf(':') + 1)}.tar.gz`;
  const metadata = Object.keys(annotations).length === 0 ? {} : { metadata: annotations };
  return {
    // The plane hands artifacts to its own workers by digest; there is no file server, hence no http address.
    artifact: { digest, revision, path, url: `weir:${path}`, size: sizeBytes, lastUpdateTime: rfc3339(ctx.nowMs()), ...metadata },
    url: `weir:${folder}/latest.tar.gz`,
    // Merged over the status, so settings that were taken away are written as nothing, which means the same.
    ...(spec.ignore === undefined && status?.observedIgnore === undefined ? {} : { observedIgnore: spec.ignore ?? '' }),
    ...(spec.layerSelector === undefined && status?.observedLayerSelector === undefined
      ? {}
      : { observedLayerSelector: spec.layerSelector ?? {} }),
  };
}

function outdated({ spec, status }: OCIRepositoryObj, { revision }: Act): readonly ExtraCondition[] {
  if (status?.artifact === undefined || status.artifact.revision === revision) return [];
  return [{ type: 'ArtifactOutdated', status: 'True', reason: 'NewRevision', message: `new revision '${revision}' for '${spec.url}'` }];
}

/** Conditions as the runtime writes them while a run goes on, with these beside them. */
function withConditions(
  ctx: Ctx<OCIRepositoryNeed>,
  { definition, spec, status }: OCIRepositoryObj,
  extras: readonly ExtraCondition[],
): NonNullable<OCIRepositoryStatus['conditions']> {
  const previous = readConditions({
    conditions: (status?.conditions ?? []).map((one) => ({ ...one, observedGeneration: one.observedGeneration ?? 0 })),
  });
  const unasked: readonly ExtraCondition[] = spec.verify === undefined ? [{ type: 'SourceVerified', status: null }] : [];
  return [
    ...conditionsFor({
      outcome: progressing('building artifact', '', 0),
      extras: [...unasked, ...extras],
      previous,
      generation: definition.generation,
      nowMs: ctx.nowMs(),
    }),
  ];
}
