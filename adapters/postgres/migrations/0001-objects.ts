/** Objects, their change log, pointers between them, and the version counter. */
export const objectTables = `
create table weir.version_counter (
  id smallint primary key check (id = 1),
  n bigint not null,
  log_floor bigint not null
);
insert into weir.version_counter (id, n, log_floor) values (1, 1, 1);

create table weir.objects (
  tenant_id uuid not null,
  uid uuid not null,
  kind text collate "C" not null,
  namespace text collate "C" not null,
  name text collate "C" not null,
  generation bigint not null,
  resource_version bigint not null,
  created_at timestamptz not null,
  deleting_at timestamptz,
  labels json not null,
  annotations json not null,
  finalizers json not null,
  owner_references json not null,
  managed_fields json not null,
  body json not null,
  status json,
  sealed bytea,
  sealed_version bigint,
  sealed_keys json not null,
  created_by text not null,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, uid),
  constraint objects_key unique (tenant_id, kind, namespace, name)
);
create index objects_of_kind on weir.objects (kind, namespace, name) where kind in ('Cluster', 'ClusterGrant', 'ClusterAccount', 'Event');

create index objects_events on weir.objects (changed_at) where kind = 'Event';

create table weir.change_log (
  tenant_id uuid not null,
  kind text collate "C" not null,
  resource_version bigint not null,
  namespace text collate "C" not null,
  name text collate "C" not null,
  uid uuid not null,
  type text not null check (type in ('ADDED', 'MODIFIED', 'DELETED')),
  object json not null,
  before json,
  sealed bytea,
  sealed_version bigint,
  logged_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, kind, resource_version)
);
create index change_log_order on weir.change_log (resource_version);
create index change_log_object on weir.change_log (tenant_id, uid, resource_version);

create table weir.refs (
  tenant_id uuid not null,
  referrer uuid not null,
  kind text collate "C" not null,
  namespace text collate "C" not null,
  name text collate "C" not null,
  wakes_on text not null check (wakes_on in ('artifact', 'ready', 'change')),
  primary key (tenant_id, referrer, kind, namespace, name, wakes_on)
);
create index refs_target on weir.refs (tenant_id, kind, namespace, name, wakes_on, referrer);
`;
