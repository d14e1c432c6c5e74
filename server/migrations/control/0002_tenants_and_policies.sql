-- Tenants, and every revision of their policies. Exactly one revision of a tenant is in force.
-- Revisions are kept for good: what was promised on any past day can be shown (GDPR Art. 7(1), 24).
-- Owner: core/policy

create table tenants (
  id         text        primary key check (id ~ '^[a-z][a-z0-9-]{1,30}$'),
  schema     text        not null unique,
  created_at timestamptz not null
);

create table policies (
  tenant     text        not null references tenants,
  revision   integer     not null check (revision > 0),
  hash       text        not null check (hash ~ '^[0-9a-f]{64}$'),
  -- The document as written, and what it compiled from: reading the text again gives the same hash.
  source     text        not null,
  document   jsonb       not null,
  prose      text,
  actor_kind text        not null,
  actor_id   text        not null,
  reason     text        not null,
  material   boolean     not null,
  applied_at timestamptz not null,
  in_force   boolean     not null default false,
  primary key (tenant, revision)
);

create unique index policies_in_force on policies (tenant) where in_force;

-- What a revision compiled to, statement by statement, in the order in which it was run. A crash
-- between expand and flip, or between flip and contract, is finished from here at the next start.
create table policy_statements (
  tenant   text        not null,
  revision integer     not null,
  phase    text        not null check (phase in ('expand', 'contract')),
  number   integer     not null,
  engine   text        not null check (engine in ('postgres', 'clickhouse')),
  statement text       not null,
  checksum text        not null check (checksum ~ '^[0-9a-f]{64}$'),
  done_at  timestamptz,
  primary key (tenant, revision, phase, number),
  foreign key (tenant, revision) references policies
);

revoke insert, update, delete, truncate on tenants, policies, policy_statements from troth_app;
revoke insert on tenants, policies, policy_statements from troth_purpose;
revoke select on policy_statements from troth_purpose;

-- Every server keeps the policies in force in memory and reads them again when one changes.
create function announce_policy() returns trigger
language plpgsql
set search_path = troth, pg_catalog
as $$
begin
  perform pg_notify('troth_policy', new.tenant);
  return null;
end $$;

create trigger policies_announced
  after insert or update of in_force on policies
  for each row when (new.in_force)
  execute function announce_policy();
