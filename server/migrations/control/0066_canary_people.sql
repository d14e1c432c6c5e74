-- What canaries leave is removed also when their prover was killed. Their names follow from a seed
-- that is on record before the first of them is used; the names themselves stand nowhere, so that a
-- search of the disk for one finds only what the service wrote.
-- Owner: oversight/evidence

create table troth.canary_seeds (
  seed      bytea       primary key check (octet_length(seed) = 32),
  tenant    text        not null,
  noted_at  timestamptz not null,
  -- How many people were named; unknown while the prover runs, and after it was killed.
  people    integer     check (people >= 0)
);

-- Opaque ids of canaries: of one that was erased, no name leads there any more.
create table troth.canary_subjects (
  seed     bytea not null references troth.canary_seeds on delete cascade,
  tenant   text  not null,
  subject  uuid  not null,
  primary key (seed, subject)
);

-- Rounds may run beside each other: one that ends removes nothing of another.
alter table troth.canaries add column seed bytea;

revoke truncate on troth.canary_seeds, troth.canary_subjects from public;
