-- Audit entries: one row for each act, refusal, intent and outcome. Append-only, of ids, words and
-- figures; what is personal is here as a salted commitment only, whose salt is sealed under the
-- person's key. So the log outlives both an erasure and the retention cut, and names nobody.
-- `leaf_hash` is the RFC 6962 hash of the entry's canonical form. It does not cover `seq`: the tree
-- has an order of its own. `transaction` tells a reader which entries may still be joined by earlier
-- ones (numbers are taken before commits, so a smaller one may appear later).
-- Owner: core/audit

create table troth.audit_entries (
  seq         bigint      generated always as identity primary key,
  id          uuid        not null unique,
  tenant      text        not null check (tenant ~ '^[a-z][a-z0-9-]{1,30}$'),
  at          timestamptz not null,
  kind        text        not null check (kind in ('act', 'refusal', 'intent', 'outcome')),
  event       text        not null check (event ~ '^[a-z][a-z-]*(\.[a-z][a-z-]*)+$'),
  actor_kind  text        not null check (actor_kind in ('operator', 'write-key', 'subject', 'system')),
  actor_id    text        not null check (actor_id ~ '^[A-Za-z0-9]{4,24}$'),
  action      text        not null check (action ~ '^[a-z][a-z-]*\.[a-z][a-z-]*$'),
  subject     uuid,
  fields      jsonb       not null check (jsonb_typeof(fields) = 'object'),
  commitments jsonb       check (jsonb_typeof(commitments) = 'object'),
  sealed_salt bytea,
  revision    integer     check (revision > 0),
  intent      uuid        references troth.audit_entries (id),
  leaf_hash   bytea       not null check (octet_length(leaf_hash) = 32),
  transaction xid8        not null default pg_current_xact_id(),

  check ((kind = 'outcome') = (intent is not null)),
  check ((commitments is null) = (sealed_salt is null))
);

create index audit_entries_of_tenant on troth.audit_entries (tenant, seq);
create index audit_entries_intents on troth.audit_entries (seq) where kind = 'intent';
-- An intent is settled once, however many servers finish it at the same time.
create unique index audit_entries_settled on troth.audit_entries (intent) where kind = 'outcome';

revoke update, delete, truncate on troth.audit_entries from troth_app;
revoke all on troth.audit_entries from troth_purpose;
-- Every role that may act must be able to say that it did; the other two have no other right here.
grant usage on schema troth to troth_eraser, troth_sweeper;
grant insert on troth.audit_entries to troth_purpose, troth_eraser, troth_sweeper;
