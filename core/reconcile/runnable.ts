import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { JsonObject } from '../json.ts';
import type { Ctx, Judged, Kind, Obj, Shown, Unit, Worker } from '../kind.ts';
import type { Need } from '../ports.ts';
import type { Resource } from '../resource.ts';
import type { Ref, StoredObject } from '../store.ts';

/** The unit of a run, as far as every kind shares it. */
export type UnitInput = Readonly<{
  definition: StoredObject;
  status: JsonObject | null;
  done: readonly string[];
  clusterId: string | null;
  deliveryId: string | null;
}>;

/** What one look-and-decide came to: an outcome, or one thing to do. */
export type Step =
  | Readonly<{ is: 'done'; judged: Judged<TSchema> }>
  | Readonly<{ is: 'act'; do: string; perform(): Promise<Shown<TSchema>> }>;

/**
 * A kind without its type parameters, so that a registry can hold all of them. Made by `runnable` only: what is read from the database
 * is checked against the kind's own schemas here, once.
 */
export interface Runnable {
  readonly resource: Resource;
  readonly unit: Unit;
  readonly worker: Worker;
  readonly needs: readonly Need[];
  refs(definition: StoredObject): readonly Ref[];
  intervalMs(definition: StoredObject): number | null;
  suspended(definition: StoredObject): boolean;
  timeoutMs(definition: StoredObject): number;
  step(ctx: Ctx<Need>, unit: UnitInput): Promise<Step>;
  finalize(ctx: Ctx<Need>, unit: UnitInput, why: 'deleted' | 'deselected'): Promise<Judged<TSchema>>;
}

export function runnable<U extends Unit, S extends TSchema, T extends TSchema, N extends Need, Seen, Act extends { do: string }>(
  kind: Kind<U, S, T, N, Seen, Act>,
): Runnable {
  const spec = (definition: StoredObject): Static<S> => parsed(kind.spec, definition.body['spec'] ?? {}, definition, 'spec');
  const obj = (unit: UnitInput): Obj<U, S, T> => {
    const status = unit.status === null ? null : parsed(kind.status, unit.status, unit.definition, 'status');
    const shared = { definition: unit.definition, spec: spec(unit.definition), status, done: unit.done };
    return Object.freeze(kind.unit === 'delivery' ? { ...shared, clusterId: unit.clusterId, deliveryId: unit.deliveryId } : shared) as Obj<
      U,
      S,
      T
    >;
  };
  return Object.freeze({
    resource: kind.resource,
    unit: kind.unit,
    worker: kind.worker,
    needs: kind.needs,
    refs: (definition: StoredObject) => kind.refs(spec(definition), definition.namespace),
    intervalMs: (definition: StoredObject) => kind.intervalMs(spec(definition)),
    suspended: (definition: StoredObject) => kind.suspended(spec(definition)),
    timeoutMs: (definition: StoredObject) => kind.timeoutMs(spec(definition)),
    step: async (ctx: Ctx<Need>, unit: UnitInput): Promise<Step> => {
      const input = obj(unit);
      const seen = await kind.observe(ctx, input);
      const next = kind.decide(input, seen, ctx.nowMs());
      if ('do' in next) return { is: 'act', do: next.do, perform: () => kind.act(ctx, input, next) };
      return { is: 'done', judged: next };
    },
    finalize: (ctx: Ctx<Need>, unit: UnitInput, why: 'deleted' | 'deselected') => kind.finalize(ctx, obj(unit), why),
  });
}

function parsed<S extends TSchema>(schema: S, value: unknown, definition: StoredObject, part: string): Static<S> {
  if (Value.Check(schema, value)) return value;
  const first = [...Value.Errors(schema, value)][0];
  throw new Error(
    `stored ${part} of ${definition.kind} ${definition.namespace}/${definition.name} does not fit its schema: ${JSON.stringify(first ?? null).slice(0, 300)}`,
  );
}
