-- When the operator was told that a demand comes near the end of its time.
-- Owner: domains/rights

alter table troth.erasures add column alarmed_at timestamptz;
