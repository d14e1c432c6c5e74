-- Statistics copy values of sampled rows into a catalogue, where they would outlive the rows: what
-- waits for the event store is not sampled.
-- Owner: domains/consent

alter table consent_receipts
  alter column id set statistics 0,
  alter column overrules set statistics 0;
