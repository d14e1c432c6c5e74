-- Statistics copy values of sampled rows into a catalogue, where they would outlive the rows: what
-- waits for the event store is not sampled.
-- Owner: domains/ingest

alter table troth.inbox alter column body set statistics 0;
alter table troth.inbox_stuck alter column body set statistics 0;
