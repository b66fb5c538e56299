/** Directory, members, keys, audit, cluster access. */
export const tenancyTables = `
create table weir.dir_tenants (
  tenant_id uuid primary key,
  name text collate "C" not null constraint dir_tenants_name unique,
  names json not null,
  prefixes json not null,
  suspended boolean not null
);
create table weir.dir_namespaces (
  name text collate "C" primary key,
  tenant_id uuid not null
);
create index dir_namespaces_tenant on weir.dir_namespaces (tenant_id, name);
create table weir.dir_members (
  issuer text not null,
  subject text not null,
  tenant_id uuid not null,
  primary key (issuer, subject, tenant_id)
);
create index dir_members_tenant on weir.dir_members (tenant_id);
create table weir.dir_groups (
  issuer text not null,
  oidc_group text not null,
  tenant_id uuid not null,
  primary key (issuer, oidc_group, tenant_id)
);
create index dir_groups_tenant on weir.dir_groups (tenant_id);
create table weir.dir_tokens (
  hash text primary key,
  tenant_id uuid not null
);
create table weir.dir_hooks (
  digest text primary key,
  tenant_id uuid not null,
  receiver_uid uuid not null,
  constraint dir_hooks_receiver unique (tenant_id, receiver_uid)
);

create table weir.members (
  tenant_id uuid not null,
  issuer text not null,
  is_group boolean not null,
  name text not null,
  role text not null check (role in ('viewer', 'editor', 'admin')),
  primary key (tenant_id, issuer, is_group, name)
);
create table weir.access_tokens (
  tenant_id uuid not null,
  uid uuid not null,
  hash text not null,
  name text not null,
  namespace text not null,
  limits json not null,
  role text not null check (role in ('viewer', 'editor', 'admin')),
  maker_key text not null,
  expires_at timestamptz not null,
  primary key (tenant_id, uid)
);

create table weir.tenant_keys (
  tenant_id uuid not null,
  key_class text not null check (key_class in ('secret', 'cluster-credential')),
  dek_id uuid not null,
  wrapped bytea not null,
  kek_id text not null,
  made_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, key_class, dek_id)
);

create table weir.audit (
  tenant_id uuid not null,
  seq bigint not null,
  at_ms bigint not null,
  entry text not null,
  hash bytea not null,
  primary key (tenant_id, seq)
);
create table weir.audit_heads (
  tenant_id uuid primary key,
  seq bigint not null,
  hash bytea not null
);

create table weir.cluster_access (
  tenant_id uuid not null,
  cluster_id uuid not null,
  owner_tenant_id uuid not null,
  cluster_namespace text collate "C" not null,
  cluster_name text collate "C" not null,
  server text not null,
  ca_bundle text not null,
  labels json not null,
  variables json not null,
  paused boolean not null,
  concurrency integer not null,
  namespaces json not null,
  account_namespace text not null,
  account_name text not null,
  accounts json not null,
  primary key (tenant_id, cluster_id)
);
create index cluster_access_cluster on weir.cluster_access (cluster_id);
create index cluster_access_name on weir.cluster_access (tenant_id, cluster_namespace, cluster_name);

create table weir.cluster_credentials (
  tenant_id uuid not null,
  cluster_uid uuid not null,
  sealed bytea not null,
  sealed_version bigint not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant_id, cluster_uid)
);

create table weir.hook_deliveries (
  tenant_id uuid not null,
  receiver_uid uuid not null,
  delivery_id text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, receiver_uid, delivery_id)
);
create index hook_deliveries_age on weir.hook_deliveries (at);

create function weir.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception 'audit entries are never changed' using errcode = '42501';
end $$;
create trigger audit_rows before update or delete on weir.audit for each row execute function weir.refuse_change();
create trigger audit_whole before truncate on weir.audit for each statement execute function weir.refuse_change();
`;
