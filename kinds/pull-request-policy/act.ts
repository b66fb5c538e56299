import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { type Act, numbered, type Step } from './decide.ts';
import { FORGE_LIMITS, orFailure, type PolicyNeed, type PolicyObj } from './observe.ts';
import { type Server, serverOf } from './remote.ts';
import type { PullRequestPolicyStatus, Request } from './schema.ts';

/** Makes the changes one by one. Idempotent: what was done and not recorded is found by the next look. A step that fails does not stop the others. */
export async function act(ctx: Ctx<PolicyNeed>, obj: PolicyObj, { steps, settled }: Act): Promise<Shown<typeof PullRequestPolicyStatus>> {
  const login = await serverOf(ctx.secrets, obj.definition.namespace, obj.spec);
  // Changed since it was looked at: the next run says how.
  if (login.is === 'failed') throw new AppError('upstreamAuthFailed', login.message);
  const requests = [...settled];
  for (const step of steps) requests.push(await perform(ctx, login.server, step));
  return { status: { requests } };
}

async function perform(ctx: Ctx<PolicyNeed>, server: Server, step: Step): Promise<Request> {
  const { entry } = step;
  const remote = { ...server, repository: entry.repository };
  const port = ctx.pullRequests;
  const work = async (): Promise<Request> => {
    switch (step.is) {
      case 'open':
        return { ...entry, ...numbered(await port.open(remote, { ...step.target, ...step.text }, FORGE_LIMITS, ctx.signal)) };
      case 'update':
        await port.update(remote, step.number, step.text, FORGE_LIMITS, ctx.signal);
        return entry;
      case 'close':
        await port.close(remote, step.number, FORGE_LIMITS, ctx.signal);
        return entry;
    }
  };
  return orFailure(work, (message) => ({ ...entry, state: 'Failed', message: message.slice(0, 1_000) }));
}
