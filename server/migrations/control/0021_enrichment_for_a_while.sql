-- An enrichment may be switched for a while: it then goes back by itself, whatever becomes of whoever
-- switched it. What was set for good stands beside it, and is null where only the policy speaks.
-- Owner: domains/ingest
-- squawk-ignore-file ban-drop-not-null, constraint-missing-not-valid
alter table enrichment_switches
  alter column enabled drop not null,
  add column meanwhile boolean,
  add column meanwhile_until timestamptz,
  add check ((meanwhile is null) = (meanwhile_until is null));
