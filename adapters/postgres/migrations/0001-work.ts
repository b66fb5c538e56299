/** Due times, fences, inventories, ledger, outbox: what the runtime and the scheduler live on. */
export const workTables = `
create table weir.work (
  tenant_id uuid not null,
  unit_id uuid not null,
  kind text collate "C" not null,
  definition_id uuid not null,
  cluster_id uuid,
  namespace text collate "C" not null,
  fans_out boolean not null,
  deselected boolean not null default false,
  due_at timestamptz,
  trigger_no bigint not null default 1,
  handled_no bigint not null default 0,
  fence bigint not null default 0,
  lease_until timestamptz,
  lease_fence bigint,
  offered_until timestamptz,
  failures integer not null default 0,
  cause text not null,
  host text,
  lane text collate "C" not null generated always as (coalesce(cluster_id::text, host, '')) stored,
  primary key (tenant_id, unit_id),
  constraint work_place unique nulls not distinct (tenant_id, definition_id, cluster_id)
);
create index work_due on weir.work (tenant_id, lane, due_at) where due_at is not null;
create index work_soonest on weir.work (due_at) where due_at is not null;
create index work_in_flight on weir.work (tenant_id, lane) where lease_until is not null or offered_until is not null;
create index work_on_cluster on weir.work (cluster_id, tenant_id) where cluster_id is not null;
create index work_fans_out on weir.work (tenant_id, namespace) where fans_out;

create table weir.outbox (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  what text not null check (what in ('wake', 'places', 'grants', 'tenant')),
  kind text not null default '',
  namespace text not null default '',
  name text not null default '',
  wakes_on text not null default '',
  reached uuid
);

create table weir.inventories (
  tenant_id uuid not null,
  unit_id uuid not null,
  entry text collate "C" not null,
  version text not null,
  state text not null check (state in ('intent', 'applied', 'deleting')),
  uid text,
  applied_digest text,
  generation bigint,
  resource_version text,
  primary key (tenant_id, unit_id, entry)
);

create table weir.ledger (
  tenant_id uuid not null,
  unit_id uuid not null,
  fence bigint not null,
  at timestamptz not null default clock_timestamp(),
  definition_id uuid not null,
  cluster_id uuid,
  cause text not null,
  actor text not null,
  revision text,
  origin_revision text,
  artifact_digest text,
  render_digest text,
  outcome text not null,
  reason text not null,
  message text not null,
  objects json not null,
  duration_ms integer not null,
  primary key (tenant_id, unit_id, fence)
);
create index ledger_of_definition on weir.ledger (tenant_id, definition_id, at, unit_id, fence);

create table weir.artifacts (
  tenant_id uuid not null,
  digest text collate "C" not null,
  source_uid uuid not null,
  revision text not null,
  size_bytes bigint not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, digest, source_uid)
);
create index artifacts_of_source on weir.artifacts (tenant_id, source_uid, recorded_at desc);
create index artifacts_digest on weir.artifacts (digest);

create table weir.remote_looks (
  tenant_id uuid not null,
  url_digest text not null,
  refs json not null,
  looked_at timestamptz not null,
  primary key (tenant_id, url_digest)
);
`;
