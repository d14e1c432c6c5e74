-- What proofs found: the latest finding of each promise, and a count of findings for each day.
-- A change of state also stands in the audit log, which is where it cannot be taken back.
-- Words and figures only; no value of a person.
-- Owner: oversight/evidence

create table troth.promise_states (
  tenant    text        not null,
  promise   text        not null,
  revision  bigint      not null,
  state     text        not null check (state in ('kept', 'broken', 'gap')),
  saw       text        not null check (length(saw) <= 2000),
  control   text        not null,
  strength  text        not null,
  blind_to  text        not null,
  found_at  timestamptz not null,
  since     timestamptz not null,
  took_ms   bigint      not null,
  -- Found broken and not found kept since: whoever was told of the one is told of the other.
  alarmed   boolean     not null default false,
  primary key (tenant, promise)
);

create table troth.promise_days (
  tenant   text   not null,
  promise  text   not null,
  day      date   not null,
  kept     bigint not null default 0,
  broken   bigint not null default 0,
  gap      bigint not null default 0,
  primary key (tenant, promise, day)
);

-- The write keys that proofs send their canaries with; each is revoked when the next is made.
create table troth.verification_keys (
  key_id  text primary key,
  tenant  text not null
);

-- What canaries sent, noted before it is sent: it is removed even when their prover was killed.
create table troth.canaries (
  tenant    text          not null,
  message   numeric(20,0) not null,
  noted_at  timestamptz   not null,
  primary key (tenant, message)
);

revoke truncate on troth.promise_states, troth.promise_days, troth.verification_keys,
  troth.canaries from public;
