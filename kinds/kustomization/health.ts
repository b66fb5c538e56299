import { AppError } from '#core/errors.ts';
import type { HealthRules } from '#core/health-rules.ts';
import type { Ctx } from '#core/kind.ts';
import { describeRef } from '#core/object-id.ts';
import type { Health, ObjectRef } from '#core/ports.ts';
import type { Needs } from './observe.ts';

type Wanted = Readonly<{ id: string; ref: ObjectRef }>;

/** Objects that are read at the same time. */
const AT_ONCE = 8;

/** Health of objects: by the tenant's expressions where an entry covers the kind, from a whole read of the object, else by the built-in rules and their watches. */
export async function healthOf(
  ctx: Ctx<Needs>,
  deliveryId: string,
  wanted: readonly Wanted[],
  rules: HealthRules,
): Promise<readonly Health[]> {
  const own = wanted.filter((one) => rules.covers(one.ref));
  if (own.length === 0) return ctx.cluster.health(deliveryId, wanted, ctx.signal);
  const others = wanted.filter((one) => !rules.covers(one.ref));
  const found: Health[] = others.length === 0 ? [] : [...(await ctx.cluster.health(deliveryId, others, ctx.signal))];
  for (let from = 0; from < own.length; from += AT_ONCE)
    found.push(...(await Promise.all(own.slice(from, from + AT_ONCE).map((one) => byExpression(ctx, one, rules)))));
  return found;
}

async function byExpression(ctx: Ctx<Needs>, { id, ref }: Wanted, rules: HealthRules): Promise<Health> {
  try {
    const object = await ctx.cluster.read(ref, ctx.signal);
    if (object === null) return { id, is: 'notFound', message: `${describeRef(ref)} does not exist`, byExpression: true };
    return { id, ...rules.judge(ref, object), byExpression: true };
  } catch (error) {
    // A refusal to read one object is that object's result, as with the built-in rules.
    if (error instanceof AppError && (error.code === 'clusterAnswer' || error.code === 'invalid'))
      return { id, is: 'unknown', message: error.message, byExpression: true };
    throw error;
  }
}
