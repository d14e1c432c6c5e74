-- Which login of the event store reads for which purpose. Logins are there from the start, each with
-- a database of its own; a purpose takes one when it is first declared and keeps it for good.
-- Owner: core/tenancy

create table troth.purpose_logins (
  tenant  text    not null references troth.tenants,
  purpose text    not null check (purpose ~ '^[a-z][a-z0-9-]{0,40}$'),
  login   integer not null unique check (login between 0 and 255),
  primary key (tenant, purpose)
);

revoke insert, update, delete, truncate on troth.purpose_logins from troth_app;
revoke insert, update, delete, truncate on troth.purpose_logins from troth_purpose;
