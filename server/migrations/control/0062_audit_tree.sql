-- The tree over the audit entries. Entries are committed without waiting for it; one sequencer gives
-- each its index within a second and writes it into the tenant's log, outside of this database. The
-- log is the truth about indexes: after a restore the leaves that are missing here are read from it.
-- Polled and not notified: `notify` takes one lock for the whole database until the commit is on the
-- disk, which would make every act wait for every other.
-- Owner: core/audit

-- What is committed and has no index yet.
create table troth.audit_pending (
  tenant text   not null,
  seq    bigint not null,
  primary key (tenant, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Where each entry stands in its tenant's tree. The hash outlives the entry's body.
create table troth.audit_leaves (
  tenant    text   not null check (tenant ~ '^[a-z][a-z0-9-]{1,30}$'),
  index     bigint not null check (index >= 0),
  leaf_hash bytea  not null check (octet_length(leaf_hash) = 32),
  primary key (tenant, index),
  unique (tenant, leaf_hash)
);

-- The state of each log; `*` is the place where all of them lie. While one has failed, acts that
-- matter are refused for its tenant.
create table troth.audit_trees (
  tenant  text        primary key check (tenant ~ '^([a-z][a-z0-9-]{1,30}|\*)$'),
  size    bigint      not null default 0,
  failure text        check (failure ~ '^[a-z][a-z-]{1,40}$'),
  place   text,
  since   timestamptz
);

-- Bodies whose time is over: every index below `floor` may be without its body.
create table troth.audit_cuts (
  entry  uuid        primary key,
  tenant text        not null,
  floor  bigint      not null check (floor >= 0),
  before timestamptz not null,
  -- How many bodies went from the log; null until then.
  bodies bigint
);
create index audit_cuts_open on troth.audit_cuts (tenant) where bodies is null;

create function troth.note_audit_entries() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into troth.audit_pending (tenant, seq) select tenant, seq from added;
  return null;
end $$;
revoke all on function troth.note_audit_entries() from public;

create trigger audit_entries_noted
  after insert on troth.audit_entries
  referencing new table as added
  for each statement execute function troth.note_audit_entries();

insert into troth.audit_pending (tenant, seq) select tenant, seq from troth.audit_entries;

-- Removes the bodies of entries that stand in the log and are older; never silently: the entry that
-- says so is of this very transaction. An intent stays for as long as its outcome does.
create function troth.cut_audit(of_tenant text, older_than timestamptz) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  gone bigint;
begin
  if not exists (
    select from troth.audit_entries
    where tenant = of_tenant and event = 'audit.cut' and transaction = pg_current_xact_id()
  ) then
    raise insufficient_privilege using message = 'a cut is recorded, or it is not made';
  end if;
  with old as (
    select entry.seq, entry.id, entry.kind, entry.intent
    from troth.audit_entries as entry
    join troth.audit_leaves as leaf
      on leaf.tenant = entry.tenant and leaf.leaf_hash = entry.leaf_hash
    where entry.tenant = of_tenant and entry.at < older_than
  )
  delete from troth.audit_entries
  where seq in (
    select seq from old
    where kind <> 'intent'
       or exists (select from old as outcome where outcome.intent = old.id));
  get diagnostics gone = row_count;
  return gone;
end $$;
revoke all on function troth.cut_audit(text, timestamptz) from public;
grant execute on function troth.cut_audit(text, timestamptz) to troth_app, troth_sweeper;

revoke insert, update, truncate on troth.audit_pending from troth_app;
revoke update, delete, truncate on troth.audit_leaves from troth_app;
revoke delete, truncate on troth.audit_trees, troth.audit_cuts from troth_app;
revoke all on troth.audit_pending, troth.audit_leaves, troth.audit_trees, troth.audit_cuts
  from troth_purpose;
-- Whoever acts must learn whether acts are refused.
grant select on troth.audit_trees to troth_purpose, troth_eraser, troth_sweeper;
