import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { TerminalError } from '../errors.ts';
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
  const spec = (definition: StoredObject): Static<S> => parsedSpec(kind.spec, definition);
  const obj = (unit: UnitInput): Obj<U, S, T> => {
    const status = unit.status === null ? null : parsedStatus(kind.status, unit.status, unit.definition);
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
    refs: (definition: StoredObject) => kind.refs(spec(definition), definition.namespace, definition.name),
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

/** The API lets no other spec in: one that does not fit was written past it, or by another release. Nothing of it is believed, and no retry can help (threats E3). */
function parsedSpec<S extends TSchema>(schema: S, definition: StoredObject): Static<S> {
  const value = definition.body['spec'] ?? {};
  if (Value.Check(schema, value)) return value;
  throw new TerminalError(
    'ValidationFailed',
    `the stored spec does not fit the schema of ${definition.kind}: ${misfit(schema, value)}; apply a corrected ${definition.kind} '${definition.namespace}/${definition.name}'`,
  );
}

/** Only the runtime writes status: a misfit is our bug. */
function parsedStatus<S extends TSchema>(schema: S, value: JsonObject, definition: StoredObject): Static<S> {
  if (Value.Check(schema, value)) return value;
  throw new Error(
    `stored status of ${definition.kind} ${definition.namespace}/${definition.name} does not fit its schema: ${misfit(schema, value)}`,
  );
}

/** The first field that does not fit, and why; never its value. */
function misfit(schema: TSchema, value: unknown): string {
  const [first] = Value.Errors(schema, value);
  if (first === undefined) return 'it is of another shape';
  const unknown = first.keyword === 'additionalProperties' ? ` (${first.params.additionalProperties.join(', ').slice(0, 100)})` : '';
  return `spec${first.instancePath.replaceAll('/', '.')} ${first.message}${unknown}`.slice(0, 300);
}
