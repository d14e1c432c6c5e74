-- Consent receipts: one row for each decision that a person takes about one purpose, and one for
-- each time that a browser's signal first overruled what the person had chosen.
-- Append-only, so that what was agreed on any past day can be shown (GDPR Art. 7(1)); a withdrawal
-- is a new row. Erasure removes a person's rows as the role troth_eraser, never as troth_app.
-- Owner: domains/consent

create table consent_receipts (
  id              uuid        primary key,
  kind            text        not null check (kind in ('decision', 'signal')),
  subject         uuid        not null,
  purpose         text        not null check (purpose ~ '^[a-z][a-z0-9-]{1,40}$'),
  granted         boolean     not null,
  -- A concept of DPV: ConsentGiven, ConsentWithdrawn and kin.
  status          text        not null check (status ~ '^Consent[A-Z][A-Za-z]+$|^RenewedConsentGiven$'),
  given_at        timestamptz not null,
  received_at     timestamptz not null,
  expires_at      timestamptz check (expires_at > given_at),
  notice_version  text        not null,
  notice_language text        not null,
  -- False: the client named no notice, so this is the one that was in force.
  notice_stated   boolean     not null,
  method          text        not null
                  check (method in ('single', 'preferences', 'withdraw-all', 'signal', 'replay')),
  signal          text        check (signal in ('gpc', 'do-not-sell', 'dnt')),
  -- The decision that the signal overruled; none where it overruled the policy's default.
  overrules       uuid        references consent_receipts (id) on delete cascade,
  revision        integer     not null check (revision > 0),

  check ((kind = 'signal') = (signal is not null)),
  check (kind = 'decision' or (not granted and method = 'signal')),
  check (given_at <= received_at)
);

-- A repeat is one row, and "the latest decision" reads it backwards; a no sorts before a yes.
create unique index consent_receipts_decisions
  on consent_receipts (subject, purpose, given_at desc, granted)
  where kind = 'decision';

create unique index consent_receipts_signals
  on consent_receipts (subject, purpose, signal, overrules) nulls not distinct
  where kind = 'signal';

create index consent_receipts_overruled on consent_receipts (overrules) where kind = 'signal';

revoke update, delete, truncate on consent_receipts from troth_app, troth_sweeper;

-- Every server holds decisions in memory and lets go of a person's when one changes, whoever
-- changed it. The person's id is random, and says nothing to who may listen.
create function announce_consent() returns trigger
language plpgsql
as $$
begin
  perform pg_notify(
    'troth_consent',
    tg_table_schema || '/' || encode(uuid_send(coalesce(new.subject, old.subject)), 'hex'));
  return null;
end $$;

create trigger consent_receipts_announced
  after insert or delete on consent_receipts
  for each row execute function announce_consent();
