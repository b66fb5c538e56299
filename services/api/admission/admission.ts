import type { NewObject } from '#adapters/postgres/objects.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import type { JsonObject } from '#core/json.ts';
import type { Resource, Role } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import type { Draft } from '#services/api/validate/draft.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';

/** Who writes what, for admission. */
export type WriteContext = Readonly<{
  deps: ApiDeps;
  call: SignedInCall;
  resource: Resource;
  scope: TenantScope;
  tenantName: string;
  role: Role | 'platform-admin';
  dryRun: boolean;
}>;

/**
 * Rules and rows of one kind that its schema cannot say. Everything runs inside the write's own transaction and before the version number is taken,
 * so only `tx` is awaited. A dry run runs it too and is rolled back. Each member may throw AppError.
 */
export interface Admission {
  /** The draft to store: may add what the plane sets, or refuse. */
  beforeCreate?(tx: TenantTx, context: WriteContext, draft: Draft): Promise<Draft>;
  /** Status of a new object instead of the kind's initial one. Pure. */
  newStatus?(context: WriteContext, uid: string): JsonObject;
  /** Rows beside a new object (directory, credentials). What it returns is laid over the answer and never stored: the value of an access token. */
  besideCreate?(tx: TenantTx, context: WriteContext, object: NewObject): Promise<JsonObject | null>;
  /** As beforeCreate, for a change; `before` is the stored object. */
  beforeUpdate?(tx: TenantTx, context: WriteContext, before: StoredObject, draft: Draft): Promise<Draft>;
  besideUpdate?(tx: TenantTx, context: WriteContext, before: StoredObject, after: StoredObject): Promise<void>;
  /** Before a deletion starts: may refuse. */
  beforeDelete?(tx: TenantTx, context: WriteContext, before: StoredObject): Promise<void>;
  /** Rows beside an object that goes now. */
  besideDelete?(tx: TenantTx, context: WriteContext, before: StoredObject): Promise<void>;
}
