-- Services that were taken out of the installation: who asked for it, when, and what was lost, by
-- count. The row stays, and holds nothing of anybody. The service's row in `tenants` stays too, as
-- do its revisions: what was in force when is not forgotten with the data.
-- Owner: oversight/removal

set lock_timeout = '5s';

alter table troth.tenants add column removed_at timestamptz;

create table troth.removals (
  id           uuid        primary key,
  -- No reference: a database that was restored may be older than the service.
  tenant       text        not null check (tenant ~ '^[a-z][a-z0-9-]{1,30}$'),
  revision     integer     not null,
  -- Names the removal in the forget journal.
  digest       text        not null unique check (digest ~ '^[0-9a-f]{64}$'),
  actor_kind   text        not null,
  actor_id     text        not null,
  requested_at timestamptz not null,
  -- Rows by store and place, as they were counted before.
  lost         jsonb       not null,
  finished_at  timestamptz
);
create unique index removals_open on troth.removals (tenant) where finished_at is null;

revoke insert, update, delete, truncate on troth.removals from troth_app;
revoke all on troth.removals from troth_purpose;

-- Layouts of services that ended: what still waits in the inbox under one of these numbers has
-- nowhere to go. A service of the same name that comes later has other numbers.
create table troth.inbox_ended_layouts (
  layout integer primary key
);
revoke update, delete, truncate on troth.inbox_ended_layouts from troth_app;
revoke all on troth.inbox_ended_layouts from troth_purpose;
