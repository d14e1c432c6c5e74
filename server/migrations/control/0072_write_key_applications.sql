-- Which application a write key is for: each has keys of its own, so that one can be taken away
-- without the others. None for the keys that a start makes for itself.
-- Owner: domains/ingest

set lock_timeout = '5s';

alter table troth.write_keys add column application text;
alter table troth.write_keys add constraint write_keys_application_check
  check (application ~ '^[a-z][a-z0-9-]{0,40}$') not valid;
