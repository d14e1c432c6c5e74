-- Roles, and the signed tenant context that every tenant's rows are read under.
-- The server's login owns nothing. A context is `tenant|backend|minute|signature`; without one, or
-- with a forged, foreign or old one, no row of any tenant is seen. A fence against mistakes and
-- against reading across tenants; parameters are bound everywhere all the same.
-- Owner: core/tenancy

do $$
declare
  wanted text;
begin
  foreach wanted in array array['troth_app', 'troth_eraser', 'troth_sweeper', 'troth_purpose'] loop
    begin
      if not exists (select 1 from pg_roles where rolname = wanted) then
        execute format('create role %I nologin', wanted);
      end if;
    exception when duplicate_object or unique_violation then
      null; -- another server made it at the same moment
    end;
  end loop;
end $$;

do $$
begin
  -- Roles belong to the whole server: two databases that are prepared at once may collide here.
  for attempt in 1 .. 20 loop
    begin
      grant troth_eraser, troth_sweeper to troth_app with inherit false, set true;
      alter role troth_app set row_security = on;
      return;
    exception when others then
      if attempt = 20 then raise; end if;
      perform pg_sleep(0.02 * attempt);
    end;
  end loop;
end $$;

grant usage on schema troth to troth_app, troth_purpose;
alter default privileges in schema troth
  grant select, insert, update, delete on tables to troth_app;
alter default privileges in schema troth
  grant select, insert on tables to troth_purpose;
alter default privileges in schema troth
  grant usage on sequences to troth_app, troth_purpose;
revoke all on troth.migrations from public;
grant select on troth.migrations to troth_app;

create schema troth_sec;
grant usage on schema troth_sec to public;

-- HMAC-SHA256 from PostgreSQL's own sha256, so that no extension is needed: the two pads of
-- RFC 2104 are kept ready. Readable by the owner only.
create table troth_sec.secrets (
  context   bytea not null,
  inner_pad bytea not null,
  outer_pad bytea not null
);

create function troth_sec.pad(key bytea, with_byte integer) returns bytea
language plpgsql immutable
as $$
declare
  padded bytea := decode(repeat(to_hex(with_byte), 64), 'hex');
begin
  for i in 0 .. length(key) - 1 loop
    padded := set_byte(padded, i, get_byte(key, i) # with_byte);
  end loop;
  return padded;
end $$;

create function troth_sec.hmac(inner_pad bytea, outer_pad bytea, message bytea) returns bytea
language sql immutable
as $$ select sha256(outer_pad || sha256(inner_pad || message)) $$;

with made as (
  select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
                || uuid_send(gen_random_uuid())) as context
), derived as (
  select context,
         troth_sec.hmac(troth_sec.pad(context, 54), troth_sec.pad(context, 92),
                        'troth/v1/context'::bytea) as key
  from made
)
insert into troth_sec.secrets (context, inner_pad, outer_pad)
select context, troth_sec.pad(key, 54), troth_sec.pad(key, 92)
from derived;

create function troth_sec.tenant() returns text
language plpgsql stable security definer parallel restricted
set search_path = troth_sec, pg_catalog, pg_temp
as $$
declare
  part    text[] := string_to_array(coalesce(current_setting('troth.context', true), ''), '|');
  secret  record;
  message bytea;
  age     bigint;
begin
  if part[1] is null or part[1] = '' then
    return null;
  end if;
  select inner_pad, outer_pad into strict secret from troth_sec.secrets;
  message := convert_to(part[1] || '|' || part[2] || '|' || part[3], 'UTF8');
  age := floor(extract(epoch from clock_timestamp()) / 60)::bigint - part[3]::bigint;
  if part[2]::integer = pg_backend_pid() and age between -5 and 60
     and troth_sec.hmac(secret.inner_pad, secret.outer_pad, message) = decode(part[4], 'hex') then
    return part[1];
  end if;
  raise insufficient_privilege using message = 'the tenant context is not genuine';
end $$;

revoke all on all functions in schema troth_sec from public;
grant execute on function troth_sec.tenant() to public;
