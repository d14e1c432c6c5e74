-- Erasures: who is to be forgotten, how far that has come, and what was found where. A request is
-- here before it is answered; each step is written down before the next begins, so that a crash
-- leaves it resumable and never further than it is.
-- A person stands here as the opaque id only. `sealed` holds what a search for their bytes needs,
-- under a key of the request's own that is destroyed when the certificate is signed.
-- Owner: domains/rights

create table holds (
  id         uuid        primary key,
  tenant     text        not null references tenants,
  subject    uuid        not null,
  ground     text        not null check (ground in ('legal-obligation', 'contract', 'legitimate-interest')),
  placed_at  timestamptz not null,
  lifted_at  timestamptz
);
create unique index holds_standing on holds (tenant, subject, ground) where lifted_at is null;

create table erasures (
  id               uuid        primary key,
  tenant           text        not null references tenants,
  -- Null where nobody of the name is known.
  subject          uuid,
  found            text        not null check (found in ('known', 'unknown', 'erased-before')),
  complete         boolean     not null,
  reason           text        not null check (reason ~ '^[a-z][a-z0-9_-]{0,40}$'),
  -- SHA-256 of the caller's idempotency key.
  repeat_key       bytea       check (octet_length(repeat_key) = 32),
  revision         integer     not null check (revision > 0),
  state            text        not null check (state in
                     ('recorded', 'held', 'hidden', 'shredded', 'deleted', 'done', 'undone')),
  ground           text,
  requested_at     timestamptz not null,
  hidden_at        timestamptz,
  -- Until then it can be undone.
  destroy_at       timestamptz,
  key_destroyed_at timestamptz,
  deleted_at       timestamptz,
  finished_at      timestamptz,
  keys             jsonb,
  trouble          text        check (trouble ~ '^[a-z][a-z-]{0,60}$'),
  sealed           bytea,
  certificate      jsonb,

  check ((state = 'done') = (certificate is not null))
);
create unique index erasures_one_a_person on erasures (tenant, subject)
  where state not in ('done', 'undone');
create unique index erasures_once on erasures (tenant, repeat_key);
create index erasures_open on erasures (requested_at) where state not in ('done', 'undone');
create index erasures_of_tenant on erasures (tenant, requested_at);

-- The person and whoever was identified as them.
create table erasure_subjects (
  erasure uuid not null references erasures on delete cascade,
  tenant  text not null,
  subject uuid not null,
  primary key (erasure, subject)
);
create index erasure_subjects_of on erasure_subjects (tenant, subject);

-- The deletion ledger: one row for each place that may hold rows of a person.
create table erasure_ledger (
  erasure uuid        not null references erasures on delete cascade,
  store   text        not null,
  place   text        not null,
  counted bigint      not null,
  remains bigint      not null,
  at      timestamptz not null,
  primary key (erasure, store, place)
);

-- Read paths and the mover leave these people out, from the request on until late events of theirs
-- are no longer awaited.
create table hidden_subjects (
  seq     bigint      generated always as identity primary key,
  tenant  text        not null,
  subject uuid        not null,
  until   timestamptz not null,
  unique (tenant, subject)
);

-- How much of the forget journal this database has heard: a restored one has heard less.
create table forget_replays (
  journal  text        primary key check (journal = 'forget'),
  entries  bigint      not null,
  heard_at timestamptz not null
);

-- What a search of the stored bytes must find, or it did not look.
create table scan_controls (
  store  text        primary key check (store = 'postgresql'),
  marker text        not null,
  at     timestamptz not null
);

revoke delete on erasures, holds from troth_app;
grant select, delete on erasures, holds, hidden_subjects to troth_sweeper;
grant select, insert, update, delete on hidden_subjects to troth_app;
