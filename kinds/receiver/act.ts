import { assertNever } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import type { Act } from './decide.ts';
import type { ReceiverObj } from './observe.ts';
import { webhookPath } from './path.ts';
import type { ReceiverStatus } from './schema.ts';

/** Registers or empties the path of one receiver in the directory. Idempotent. */
export async function act(ctx: Ctx<'secrets' | 'hooks'>, _obj: ReceiverObj, action: Act): Promise<Shown<typeof ReceiverStatus>> {
  switch (action.do) {
    case 'open':
      await ctx.hooks.register(action.digest);
      return { status: { webhookPath: webhookPath(action.digest) } };
    case 'close':
      await ctx.hooks.register(null);
      return { status: { webhookPath: '' } };
    default:
      return assertNever(action);
  }
}
