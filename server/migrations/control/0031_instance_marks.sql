-- Whose data this is: the id that the data directory and the keyring carry too, so that a database
-- elsewhere is never served with the keys of another, or with new ones.
-- Owner: platform/database

create table troth.instance_marks (
  id     text    primary key,
  single boolean not null default true unique check (single)
);

revoke all on troth.instance_marks from troth_app, troth_purpose;
