-- What a demand is checked by, and what a hold must say: how somebody verified who asks, when a hold
-- ends, who approved it, and the digest of the written balancing test it rests on.
-- Owner: domains/rights

alter table troth.erasures
  add column verified text check (verified ~ '^[a-z][a-z0-9-]{1,40}$');

alter table troth.holds
  add column until      timestamptz check (until > placed_at),
  add column approver   text        check (approver ~ '^[a-z][a-z0-9.-]{1,60}$'),
  -- SHA-256 of a document that the one who approved it keeps.
  add column assessment bytea       check (octet_length(assessment) = 32);
