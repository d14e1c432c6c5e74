-- Whether the service answered, minute by minute, as asked over its own socket. A minute without a
-- row is one in which nobody was there to ask: it counts as not available.
-- Owner: oversight/availability

create table troth.availability_minutes (
  minute timestamptz primary key check (date_trunc('minute', minute) = minute),
  ready  boolean     not null
);

revoke truncate on troth.availability_minutes from public;
