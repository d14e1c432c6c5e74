-- Retention: what was swept when, and how long a customer chose to keep what.
-- Owner: domains/retention

create table troth.sweeps (
  id        bigint      generated always as identity primary key,
  tenant    text        not null references troth.tenants,
  data_type text        not null check (data_type ~ '^[a-z][a-z0-9-]{0,40}$'),
  -- `active` and `archive`: rows that were deleted there. `moved`: from the one to the other.
  tier      text        not null check (tier in ('active', 'archive', 'moved')),
  swept_at  timestamptz not null,
  -- Rows received before it went.
  cutoff    timestamptz not null,
  limit_ms  bigint      not null check (limit_ms >= 0),
  rows      bigint      not null check (rows >= 0),
  -- Of what was left; null where nothing was.
  oldest    timestamptz
);
create index sweeps_of_type on troth.sweeps (tenant, data_type, tier, swept_at desc);
create index sweeps_by_age on troth.sweeps (swept_at);

-- Within what the policy offers; the policy's own limit where there is no row.
create table troth.retention_choices (
  tenant    text        not null references troth.tenants,
  data_type text        not null check (data_type ~ '^[a-z][a-z0-9-]{0,40}$'),
  -- A country or a union; empty for everybody else.
  region    text        not null check (region ~ '^([A-Z]{2}|)$'),
  choice    text        not null check (choice ~ '^[a-zA-Z0-9.-]{1,40}$'),
  limit_ms  bigint      not null check (limit_ms >= 0),
  chosen_at timestamptz not null,
  primary key (tenant, data_type, region)
);

