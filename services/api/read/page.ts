import { changesSince, currentVersion, listObjects } from '#adapters/postgres/objects.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { AppError } from '#core/errors.ts';
import type { JsonObject } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { isNewer } from '#services/api/read/list-options.ts';
import { present } from '#services/api/read/present.ts';
import { isWanted, type Reading, type ReadPart } from '#services/api/read/reading.ts';
import { tooLargeVersion } from '#services/api/read/wait-for-version.ts';
import { fixedName } from '#services/api/wire/field-selector.ts';

export type Position = Readonly<{ namespace: string; name: string }>;
export type PageRequest = Readonly<{
  limit: number | null;
  after: Position | null /** State at this version; null: newest. */;
  version: string | null /** At least this version, else AppError timeout. */;
  notOlderThan: string | null;
}>;
export type Row = Readonly<{ object: StoredObject; wire: JsonObject }>;
export type Page = Readonly<{
  rows: readonly Row[] /** Version of the snapshot, or the one asked for. */;
  version: string;
  next: Position | null;
}>;

const batchRows = 500;
const changesPerLook = 1_000;

/**
 * One page over all parts in one snapshot. A page of an older state is the newest one with the changes since then taken back, read from the
 * change log in the same snapshot. Throws AppError expired, or timeout when `notOlderThan` is not there yet.
 */
export async function readPage(deps: ApiDeps, reading: Reading, request: PageRequest): Promise<Page> {
  const byTenant = new Map(reading.parts.map((part) => [part.scope.tenantId, part] as const));
  const answers = await deps.db.inTenants(
    reading.parts.map((part) => part.scope),
    async (scope, tx) => {
      const part = byTenant.get(scope.tenantId);
      if (part === undefined) throw new Error('a snapshot over a tenant that was not asked for');
      return readPart(tx, deps, reading, part, request);
    },
  );
  const version = answers[0]?.version ?? noParts();
  const rows = answers.flatMap((answer) => answer.rows).toSorted((a, b) => compareKeys(a.object, b.object));
  const { limit } = request;
  if (limit === null || rows.length <= limit) return { rows, version: request.version ?? version, next: null };
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    rows: kept,
    version: request.version ?? version,
    next: last === undefined ? null : { namespace: last.object.namespace, name: last.object.name },
  };
}

function noParts(): never {
  throw new Error('a list over no tenant at all has no version');
}

type PartAnswer = Readonly<{ rows: readonly Row[]; version: string }>;

async function readPart(tx: TenantTx, deps: ApiDeps, reading: Reading, part: ReadPart, request: PageRequest): Promise<PartAnswer> {
  const version = await currentVersion(tx);
  const least = request.notOlderThan ?? request.version;
  if (least !== null && isNewer(least, version)) throw tooLargeVersion(least, version);
  const undo = request.version === null ? null : await undoSince(tx, reading, part, request.version);
  const wanted = request.limit === null ? null : request.limit + 1;
  const objects = await collect(tx, reading, part, request.after, wanted, undo);
  const rows: Row[] = [];
  for (const object of objects) rows.push({ object, wire: await present(tx, deps.keys, reading.resource, object, part.reveal) });
  return { rows, version };
}

/** What every object changed since then looked like: null when it did not exist. */
type Undo = ReadonlyMap<string, StoredObject | null>;

async function undoSince(tx: TenantTx, reading: Reading, part: ReadPart, version: string): Promise<Undo> {
  const undo = new Map<string, StoredObject | null>();
  let after = version;
  for (;;) {
    const look = await changesSince(tx, { kind: reading.resource.kind, namespaces: part.namespaces, after, limit: changesPerLook });
    if (look === 'expired') throw expiredList();
    for (const { object, before } of look.changes) if (!undo.has(keyText(object))) undo.set(keyText(object), before);
    const last = look.changes.at(-1);
    if (look.changes.length < changesPerLook || last === undefined) return undo;
    after = last.resourceVersion;
  }
}

/** Wanted objects after a position, in key order, at most `wanted`. */
async function collect(
  tx: TenantTx,
  reading: Reading,
  part: ReadPart,
  after: Position | null,
  wanted: number | null,
  undo: Undo | null,
): Promise<readonly StoredObject[]> {
  const name = fixedName(reading.selectors.fields);
  const found: StoredObject[] = [];
  let from = after;
  for (;;) {
    const rows = await listObjects(tx, {
      kind: reading.resource.kind,
      namespaces: part.namespaces,
      limit: batchRows,
      ...(name === null ? {} : { names: [name] }),
      ...(from === null ? {} : { after: from }),
    });
    const last = rows.at(-1);
    const isEnd = rows.length < batchRows || last === undefined;
    const until = isEnd ? null : last;
    for (const object of rewind(rows, undo, from, until)) if (isWanted(reading.selectors, part, object)) found.push(object);
    if (wanted !== null && found.length >= wanted) return found.slice(0, wanted);
    if (isEnd) return found;
    from = { namespace: last.namespace, name: last.name };
  }
}

/** Takes changes back within the keys after `from` up to `until`. */
function rewind(rows: readonly StoredObject[], undo: Undo | null, from: Position | null, until: Position | null): readonly StoredObject[] {
  if (undo === null || undo.size === 0) return rows;
  const untouched = rows.filter((row) => !undo.has(keyText(row)));
  const restored = [...undo.values()].filter((object): object is StoredObject => object !== null && isWithin(object, from, until));
  return [...untouched, ...restored].toSorted(compareKeys);
}

function isWithin(object: Position, from: Position | null, until: Position | null): boolean {
  if (from !== null && compareKeys(object, from) <= 0) return false;
  return until === null || compareKeys(object, until) <= 0;
}

function keyText(object: Position): string {
  return `${object.namespace}/${object.name}`;
}

/** Namespace, then name, in byte order; both are ASCII. */
export function compareKeys(a: Position, b: Position): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function expiredList(): AppError {
  return new AppError(
    'expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  );
}

const pollMs = 100;

/** As `readPage`, but waits a while for a version that is not there yet (kube-api.md 3.3). */
export async function readPageWhenReady(deps: ApiDeps, reading: Reading, request: PageRequest, signal: AbortSignal): Promise<Page> {
  const untilMs = deps.clock.nowMs() + deps.limits.waitForVersionMs;
  for (;;) {
    try {
      return await readPage(deps, reading, request);
    } catch (error) {
      const isLate = error instanceof AppError && error.code === 'timeout';
      if (!isLate || deps.clock.nowMs() >= untilMs || signal.aborted) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, pollMs);
      });
    }
  }
}
