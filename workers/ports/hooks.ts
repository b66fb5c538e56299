import { dropHook, putHook } from '#adapters/postgres/directory-writes.ts';
import type { HookDirectory } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

/** The webhook path of one Receiver, in the directory that is read before a tenant is known. */
export function hooksFor({ db }: WorkerAdapters, scope: TenantScope, receiverUid: string): HookDirectory {
  return Object.freeze({
    register: (digest: string | null) => db.inTenant(scope, (tx) => (digest === null ? dropHook(tx, receiverUid) : putHook(tx, { digest, receiverUid }))),
  });
}
