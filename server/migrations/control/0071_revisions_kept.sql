-- A revision is a record of what was promised: which one is in force may change, nothing else of it.
-- Owner: core/policy

create function troth.keep_revision() returns trigger
language plpgsql
set search_path = troth, pg_catalog
as $$
begin
  if tg_op = 'DELETE' or to_jsonb(old) - 'in_force' <> to_jsonb(new) - 'in_force' then
    raise exception 'a revision of a policy is never changed' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger revisions_kept
  before update or delete on troth.policies
  for each row execute function troth.keep_revision();
