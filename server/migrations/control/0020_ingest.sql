-- Ingest: the durable inbox, the ledger of what was moved into the event store, write keys, layouts
-- and counters. An event is acknowledged when its inbox row is committed; personal fields in it are
-- sealed already. A round of the mover is committed here before its inserts, so that a crash between
-- the two engines is finished by asking the event store which batches it holds.
-- Owner: domains/ingest

create table inbox (
  id          bigint      generated always as identity primary key,
  received_at timestamptz not null,
  rows        integer     not null check (rows > 0),
  bytes       integer     not null check (bytes > 0),
  body        bytea       not null
);

-- The bytes are hashes and ciphertext for the larger part; trying to press them costs more than it
-- saves on the way to the disk.
alter table inbox alter column body set storage external;
alter table inbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                       toast.autovacuum_vacuum_scale_factor = 0,
                       toast.autovacuum_vacuum_threshold = 20000);
grant maintain on inbox to troth_app;

-- What a section of an inbox row means: a table of a tenant and the columns its bytes are in.
create table inbox_layouts (
  id         integer generated always as identity primary key,
  tenant     text    not null references tenants,
  table_name text    not null check (table_name ~ '^[a-z][a-z0-9_]{0,62}$'),
  columns    text[]  not null,
  unique (tenant, table_name, columns)
);

-- One row per round of the mover. The batch id of the n-th table of a round is id * 65536 + n.
create table inbox_rounds (
  id         bigint      generated always as identity primary key,
  inbox_ids  bigint[]    not null,
  tables     jsonb       not null,
  started_at timestamptz not null,
  settled_at timestamptz
);
create index inbox_rounds_open on inbox_rounds (id) where settled_at is null;

-- Rows that the event store refuses although it works: kept, never lost, for an operator to look at.
create table inbox_stuck (
  id        bigint      generated always as identity primary key,
  layout    integer     not null references inbox_layouts,
  day       integer     not null,
  rows      integer     not null,
  body      bytea       not null,
  reason    integer     not null,
  stuck_at  timestamptz not null
);

create table write_keys (
  id         text        primary key check (id ~ '^[A-Za-z0-9]{12}$'),
  tenant     text        not null references tenants,
  -- SHA-256 of the secret half, which has 256 bits of its own and so needs no slow hash.
  hash       bytea       not null check (length(hash) = 32),
  scopes     text[]      not null,
  -- Origins that a browser may send from; null for keys of servers.
  origins    text[],
  created_at timestamptz not null,
  revoked_at timestamptz
);
revoke delete on write_keys from troth_app;

create table ingest_counts (
  tenant text   not null references tenants,
  day    date   not null,
  type   text   not null,
  reason text   not null,
  count  bigint not null,
  primary key (tenant, day, type, reason)
);

create table enrichment_switches (
  tenant     text        not null references tenants,
  enrichment text        not null check (enrichment ~ '^[a-z][a-z-]{1,40}$'),
  enabled    boolean     not null,
  changed_at timestamptz not null,
  primary key (tenant, enrichment)
);
