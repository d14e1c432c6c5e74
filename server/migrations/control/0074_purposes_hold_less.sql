-- A role that reads for a purpose holds the tables of that purpose's data, what is needed to know
-- the policy, and the one right to add to the audit log. Whatever else the shared grants gave it,
-- also of tables yet to come, is taken back.
-- Owner: core/tenancy

alter default privileges in schema troth revoke select, insert on tables from troth_purpose;
alter default privileges in schema troth revoke usage on sequences from troth_purpose;
revoke all on all tables in schema troth from troth_purpose;
grant select on troth.policies, troth.tenants, troth.audit_trees to troth_purpose;
grant insert on troth.audit_entries to troth_purpose;
