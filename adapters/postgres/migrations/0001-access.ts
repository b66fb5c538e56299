/**
 * Who may do what. Row security first: every table with tenant_id has ENABLE and FORCE, one restrictive tenant policy for all commands,
 * and a permissive one beside it (a restrictive policy alone lets nothing through). Then privileges, each named.
 */
const tenant = `tenant_id = nullif(current_setting('app.tenant', true), '')::uuid`;

const tenantTables: Readonly<Record<string, string>> = Object.freeze({
  objects: 'select, insert, update, delete',
  change_log: 'select, insert',
  refs: 'select, insert, delete',
  work: 'select, insert, update, delete',
  inventories: 'select, insert, update, delete',
  ledger: 'select, insert',
  artifacts: 'select, insert, update, delete',
  remote_looks: 'select, insert, update',
  members: 'select, insert, update, delete',
  access_tokens: 'select, insert, update, delete',
  tenant_keys: 'select, insert, delete',
  audit: 'select, insert',
  audit_heads: 'select, insert, update',
  cluster_access: 'select',
  cluster_credentials: 'select, insert, update, delete',
  hook_deliveries: 'select, insert',
});

/** Written by the application, read by the scheduler alone. */
const outbox = `
alter table weir.outbox enable row level security;
alter table weir.outbox force row level security;
create policy tenant on weir.outbox as restrictive for all to weir_app using (${tenant}) with check (${tenant});
create policy app on weir.outbox for all to weir_app using (true) with check (true);
create policy scheduler on weir.outbox for all to weir_scheduler using (true) with check (true);
grant insert on weir.outbox to weir_app;
grant select, update, delete on weir.outbox to weir_scheduler;
`;

/** Found before a tenant is known: readable, written only in their owner's scope. */
const directoryTables: readonly string[] = Object.freeze([
  'dir_tenants',
  'dir_namespaces',
  'dir_members',
  'dir_groups',
  'dir_tokens',
  'dir_hooks',
]);

function tenantTable([table, privileges]: readonly [string, string]): string {
  return `
alter table weir.${table} enable row level security;
alter table weir.${table} force row level security;
create policy tenant on weir.${table} as restrictive for all to weir_app using (${tenant}) with check (${tenant});
create policy app on weir.${table} for all to weir_app using (true) with check (true);
grant ${privileges} on weir.${table} to weir_app;
`;
}

function directoryTable(table: string): string {
  return `
alter table weir.${table} enable row level security;
alter table weir.${table} force row level security;
create policy found on weir.${table} for select to weir_app using (true);
create policy owner_adds on weir.${table} for insert to weir_app with check (${tenant});
create policy owner_changes on weir.${table} for update to weir_app using (${tenant}) with check (${tenant});
create policy owner_removes on weir.${table} for delete to weir_app using (${tenant});
grant select, insert, update, delete on weir.${table} to weir_app;
`;
}

/** The counter: read by both, raised only inside a tenant's transaction or by the scheduler. */
const counter = `
alter table weir.version_counter enable row level security;
alter table weir.version_counter force row level security;
create policy seen on weir.version_counter for select to weir_app, weir_scheduler using (true);
create policy raised on weir.version_counter for update to weir_app
  using (nullif(current_setting('app.tenant', true), '') is not null) with check (nullif(current_setting('app.tenant', true), '') is not null);
create policy raised_by_scheduler on weir.version_counter for update to weir_scheduler using (true) with check (true);
grant select, update (n) on weir.version_counter to weir_app;
grant select, update on weir.version_counter to weir_scheduler;
`;

/** Cross-tenant work of the scheduler. Of objects it sees the few kinds that it projects or expires, and never a sealed column. */
const scheduler = `
create policy scheduler_reads on weir.objects for select to weir_scheduler using (kind in ('Cluster', 'ClusterGrant', 'ClusterAccount', 'Event'));
create policy scheduler_expires on weir.objects for delete to weir_scheduler using (kind = 'Event');
grant select (tenant_id, uid, kind, namespace, name, generation, resource_version, created_at, deleting_at, labels, annotations, finalizers,
  owner_references, managed_fields, body, status, sealed_keys, created_by, changed_at), delete on weir.objects to weir_scheduler;

create policy scheduler_reads on weir.change_log for select to weir_scheduler using (true);
create policy scheduler_adds on weir.change_log for insert to weir_scheduler with check (kind = 'Event');
create policy scheduler_trims on weir.change_log for delete to weir_scheduler using (true);
grant select (tenant_id, kind, resource_version, logged_at), insert, delete on weir.change_log to weir_scheduler;

create policy scheduler_reads on weir.refs for select to weir_scheduler using (true);
grant select on weir.refs to weir_scheduler;

create policy scheduler_reads on weir.work for select to weir_scheduler using (true);
create policy scheduler_wakes on weir.work for update to weir_scheduler using (true) with check (true);
grant select, update (due_at, trigger_no, cause, offered_until) on weir.work to weir_scheduler;

create policy scheduler on weir.cluster_access for all to weir_scheduler using (true) with check (true);
grant select, insert, update, delete on weir.cluster_access to weir_scheduler;

create policy scheduler_reads on weir.dir_tenants for select to weir_scheduler using (true);
grant select on weir.dir_tenants to weir_scheduler;

create policy scheduler_reads on weir.artifacts for select to weir_scheduler using (true);
grant select (digest) on weir.artifacts to weir_scheduler;

create policy scheduler on weir.hook_deliveries for all to weir_scheduler using (true) with check (true);
grant select, delete on weir.hook_deliveries to weir_scheduler;
`;

export const access: string = [
  `revoke all on schema weir from public;
grant usage on schema weir to weir_app, weir_scheduler;
revoke all on function weir.refuse_change() from public;`,
  ...Object.entries(tenantTables).map(tenantTable),
  outbox,
  ...directoryTables.map(directoryTable),
  counter,
  scheduler,
].join('\n');
