import { createHash } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import type { Decision, TextFile } from '#core/git-writer.ts';
import { MARKER, mayHoldMarkers, type ObjectChange, setterValues } from '#core/image/setters.ts';
import { canonicalJson } from '#core/json.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { rfc3339 } from '#core/time.ts';
import { messageOf } from './message.ts';
import { type AutomationNeed, type AutomationObj, asGitFailure, find, revisionOf } from './observe.ts';
import { readPolicies } from './policies.ts';
import type { ImageUpdateAutomationStatus, Policies } from './schema.ts';
import { signingKey } from './signing.ts';

const WRITE_MS = 120_000;

/**
 * Puts what the policies chose into the marked files and pushes one commit. The policies are read anew for each try, so that a commit that was overtaken is never
 * made again from an older choice (INV-8). Idempotent: the same choice on files that have it already makes no commit.
 */
export async function act(ctx: Ctx<AutomationNeed>, obj: AutomationObj): Promise<Shown<typeof ImageUpdateAutomationStatus>> {
  const found = await find(ctx, obj);
  // Changed since it was looked at: the next pass says how.
  if ('at' in found) throw new AppError('updateFailed', found.message);
  const { definition, spec } = obj;
  const { source, places, folder } = found;
  const author = spec.git?.commit.author;
  const signing = await signingKey(ctx.secrets, definition.namespace, spec.git?.commit.signingKey);
  let latest: Policies = {};
  const written = await asGitFailure(() =>
    ctx.gitWriter.write(
      source.remote,
      {
        ...places,
        options: spec.git?.push?.options ?? {},
        folder,
        holding: MARKER,
        accepts: mayHoldMarkers,
        author: { name: author?.name || (author?.email ?? ''), email: author?.email ?? '' },
        signing,
        edit: async (files) => {
          latest = await readPolicies(ctx.lookup, definition.namespace, spec.policySelector);
          return decision(ctx, obj, latest, files);
        },
      },
      { timeoutMs: WRITE_MS },
      ctx.signal,
    ),
  );
  await ctx.failpoints.hit('i4');
  const now = rfc3339(ctx.nowMs());
  const carrier = written.commit !== null && written.commit !== obj.status?.lastPushCommit ? written.commit : null;
  // Also for a commit that an earlier run pushed and could not record: nobody has told the source of it.
  if (carrier !== null) await ctx.wakes.trigger(source.uid, 'image update pushed');
  return {
    revision: revisionOf(places.branch, written.head),
    status: {
      lastAutomationRunTime: now,
      observedPolicies: latest,
      observedSourceRevision: revisionOf(places.branch, written.head),
      ...(carrier === null ? {} : { lastPushCommit: carrier, lastPushTime: now }),
    },
  };
}

async function decision(
  ctx: Pick<Ctx<AutomationNeed>, 'setters' | 'log' | 'failpoints'>,
  { definition, spec }: AutomationObj,
  policies: Policies,
  files: readonly TextFile[],
): Promise<Decision> {
  const { namespace, name, uid } = definition;
  const updateId = idOf(uid, policies);
  const values = setterValues(Object.entries(policies).map(([policy, latest]) => ({ namespace, name: policy, latest })));
  const changed: TextFile[] = [];
  const changes = new Map<string, readonly ObjectChange[]>();
  for (const { path, text } of files) {
    const edit = ctx.setters.apply(text, values);
    if (edit.is === 'unreadable') ctx.log.info({ path, reason: edit.message }, 'a marked file is no YAML and was left alone');
    if (edit.is !== 'changed') continue;
    changed.push({ path, text: edit.text });
    changes.set(path, edit.changes);
  }
  if (changed.length === 0) return { updateId, plan: null };
  const { messageTemplate, messageTemplateValues = {} } = spec.git?.commit ?? {};
  const message = messageOf({ template: messageTemplate, values: messageTemplateValues, automation: { namespace, name }, changes });
  await ctx.failpoints.hit('i3');
  return { updateId, plan: { files: changed, message } };
}

/** The same for the same choices of one automation. */
function idOf(uid: string, policies: Policies): string {
  return createHash('sha256')
    .update(canonicalJson({ uid, policies: { ...policies } }))
    .digest('hex');
}
